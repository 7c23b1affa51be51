import type { NamedArgument, NamedOption } from './command-definition.ts';

/** The description with the default and the variable, as help and manual show it. */
export function optionText(definition: NamedOption): string {
  const { description, fallbackText, env } = definition;
  const more = [];
  if (fallbackText !== null) more.push(`default: ${fallbackText}`);
  if (env !== null) more.push(`or ${env}`);
  return more.length === 0 ? description : `${description} (${more.join('; ')})`;
}

/** `<DOC>`, `[PAYLOAD]`, `<DOC...>`. */
export function placeholder({ name, presence }: NamedArgument): string {
  const word = name.replace(/[A-Z]/g, (letter) => `-${letter}`).toUpperCase();
  switch (presence) {
    case 'required':
      return `<${word}>`;
    case 'optional':
      return `[${word}]`;
    case 'rest':
      return `<${word}...>`;
    case 'restOrNone':
      return `[${word}...]`;
  }
}
