/**
 * What must not reach a terminal raw: C0 and C1 controls, DEL, bidirectional overrides and
 * isolates, zero-width characters, the line separators, tag characters, and lone surrogates.
 */
const dangerous =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|\p{Cs}/gu;

const shortEscapes: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\u001b': '\\e',
};

/**
 * Text from anywhere as one harmless line: what a terminal would act on is shown as an escape.
 * Everything printed for people passes through here, once, at the edge.
 */
export function safeText(text: string): string {
  return text.replace(dangerous, (character) => shortEscapes[character] ?? hexEscape(character));
}

function hexEscape(character: string): string {
  const code = character.codePointAt(0) as number;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}

/** Cuts a line to a number of characters, and says so with an ellipsis. */
export function clipText(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text;
  const cut = text.slice(0, lengthMax - 1);
  // Half a surrogate pair would become a visible escape of its own.
  return `${/[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut}…`;
}
