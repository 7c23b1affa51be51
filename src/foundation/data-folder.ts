/**
 * Where the data of this user lives unless something else is said: the XDG data folder. A relative
 * XDG_DATA_HOME is invalid by its specification, and ignored.
 */
export function dataFolder(
  environment: Readonly<Record<string, string | undefined>>,
  home: string,
): string {
  const xdg = environment.XDG_DATA_HOME;
  const base = xdg?.startsWith('/') ? xdg : `${home}/.local/share`;
  return `${base.replace(/\/+$/, '')}/backplane`;
}
