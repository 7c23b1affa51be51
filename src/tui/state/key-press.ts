import type { Key } from 'ink';

/** A key as the dashboard knows it: a name for those that write nothing, else what they write. */
export interface KeyPress {
  readonly name: KeyName | null;
  readonly text: string;
  readonly ctrl: boolean;
}

export type KeyName =
  | 'up'
  | 'down'
  | 'left'
  | 'right'
  | 'pageUp'
  | 'pageDown'
  | 'home'
  | 'end'
  | 'enter'
  | 'escape'
  | 'tab'
  | 'backspace';

const names: readonly (readonly [keyof Key, KeyName])[] = [
  ['upArrow', 'up'],
  ['downArrow', 'down'],
  ['leftArrow', 'left'],
  ['rightArrow', 'right'],
  ['pageUp', 'pageUp'],
  ['pageDown', 'pageDown'],
  ['home', 'home'],
  ['end', 'end'],
  ['return', 'enter'],
  ['escape', 'escape'],
  ['tab', 'tab'],
  ['backspace', 'backspace'],
  ['delete', 'backspace'],
];

/** What the terminal sent. Letters typed fast arrive together, and are as many keys. */
export function readKeys(input: string, key: Key): KeyPress[] {
  const name = names.find(([flag]) => key[flag] === true)?.[1] ?? null;
  if (name !== null) return [{ name, text: '', ctrl: key.ctrl }];
  if (key.ctrl) return [{ name: null, text: input, ctrl: true }];
  if (key.meta) return [];
  return [...input].map((character) =>
    character === '\r' || character === '\n'
      ? { name: 'enter', text: '', ctrl: false }
      : { name: null, text: character, ctrl: false },
  );
}
