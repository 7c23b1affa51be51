/** What a warden is told, one JSON object a line. It acts on what it was told when its input ends. */
export type WardenOrder =
  /** End this process: SIGKILL, which a stopped process dies of as well. */
  | { readonly order: 'end'; readonly pid: number; readonly startedAt: string }
  /** Let this process go on, if it is stopped: one that is not the drill's. */
  | { readonly order: 'resume'; readonly pid: number; readonly startedAt: string }
  /** Remove this folder with all that is in it. */
  | { readonly order: 'remove'; readonly path: string; readonly identity: string }
  /** Whatever it was told of this process or folder. */
  | { readonly order: 'forget'; readonly pid: number }
  | { readonly order: 'forget'; readonly path: string };

/** How the name of a folder of a drill begins; a warden removes no other. */
export const drillFolderPrefix = 'backplane-drill-';
