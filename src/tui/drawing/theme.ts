/** What a piece of text is, not what it looks like. */
export type Tone = 'plain' | 'good' | 'warning' | 'bad' | 'dim' | 'bold' | 'accent' | 'title';

/** What this terminal can show. */
export interface Theme {
  readonly colour: boolean;
  /** Only characters that every terminal and font has. */
  readonly ascii: boolean;
  /** Sentences instead of a picture, for somebody who listens. */
  readonly spoken: boolean;
}

type Codes = readonly [on: string, off: string];

const colours: Readonly<Partial<Record<Tone, number>>> = {
  good: 32,
  warning: 33,
  bad: 31,
  accent: 36,
  title: 36,
};
const bold: readonly Tone[] = ['bad', 'bold', 'title'];

/** What a terminal is sent before and after. Without colour, weight still says something. */
function codesOf(tone: Tone, { colour }: Theme): Codes[] {
  const code = colours[tone];
  const codes: Codes[] = colour && code !== undefined ? [[`\u001b[${code}m`, '\u001b[39m']] : [];
  if (bold.includes(tone)) codes.push(['\u001b[1m', '\u001b[22m']);
  if (tone === 'dim') codes.push(['\u001b[2m', '\u001b[22m']);
  return codes;
}

/**
 * Text in its tone. Ink could do this, but asks the environment whether the terminal knows colours;
 * here that is decided once, by `--color` and NO_COLOR, as for every other command.
 */
export function toned(text: string, tone: Tone, theme: Theme): string {
  return codesOf(tone, theme).reduce((inner, [on, off]) => on + inner + off, text);
}

/** The selected row, visible on every terminal. */
export function inverted(text: string): string {
  return `\u001b[7m${text}\u001b[27m`;
}

/** Marks that have a plain twin. */
export interface Glyphs {
  readonly levels: readonly string[];
  readonly ellipsis: string;
  readonly descending: string;
  readonly ascending: string;
  readonly rule: string;
  readonly knob: string;
  readonly pointer: string;
  readonly separator: string;
}

const pretty: Glyphs = {
  levels: ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
  ellipsis: '…',
  descending: '▼',
  ascending: '▲',
  rule: '─',
  knob: '●',
  pointer: '›',
  separator: '·',
};

const plain: Glyphs = {
  levels: ['_', '.', '-', '=', 'o', 'O', '#', '@'],
  ellipsis: '~',
  descending: 'v',
  ascending: '^',
  rule: '-',
  knob: 'O',
  pointer: '>',
  separator: '|',
};

export function glyphsOf({ ascii }: Theme): Glyphs {
  return ascii ? plain : pretty;
}
