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

/** How Ink is told to draw a tone. Without colour, weight still says something. */
export interface ToneLook {
  readonly color?: string;
  readonly bold?: boolean;
  readonly dimColor?: boolean;
}

const looks: Readonly<Record<Tone, ToneLook>> = {
  plain: {},
  good: { color: 'green' },
  warning: { color: 'yellow' },
  bad: { color: 'red', bold: true },
  dim: { dimColor: true },
  bold: { bold: true },
  accent: { color: 'cyan' },
  title: { color: 'cyan', bold: true },
};

export function lookOf(tone: Tone, { colour }: Theme): ToneLook {
  const { color, ...rest } = looks[tone];
  return colour && color !== undefined ? { color, ...rest } : rest;
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
