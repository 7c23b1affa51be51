import { blankLine, line, piece, type ScreenLine } from '../drawing/screen-line.ts';
import { wrapped } from '../drawing/wrapped.ts';
import { mainViews } from '../views/registry.ts';

const keys: readonly (readonly [string, string])[] = [
  ['j k, arrows', 'move; g G to the ends, page up and down by screens'],
  ['enter, esc', 'go in, come back'],
  [':', 'go to a view, :doc NAME to any document, :03:12 to a time of day'],
  ['/', 'show only rows that contain a text; /!text those that do not'],
  ['s S', 'sort by the next column, the other way round'],
  ['[ ]', 'page back and on in a listing'],
  ['tab', 'the next pane of a document'],
  ['p', 'pause, or play a recording'],
  ['left right', 'while paused: a look back or on; < > by sixty'],
  ['x', 'do something to the selected row, after a confirmation'],
  ['ctrl-z', 'back to the shell for a while; fg returns'],
  ['q, ctrl-c', 'quit'],
];

const keyWidth = 16;
/** Below this there is no room for a key and what it does side by side. */
const columnsMin = 60;

/** What every key does, and which views there are. */
export function helpLines(columns: number): ScreenLine[] {
  const views = mainViews.map(({ name, title, aliases }, at) =>
    line(
      piece(`${at + 1} :${name}`.padEnd(keyWidth), 'accent'),
      title,
      piece(`  (${aliases.join(', ')})`, 'dim'),
    ),
  );
  return [
    line(piece('Keys', 'bold')),
    ...keys.flatMap(([key, does]) => keyLines(key, does, columns)),
    blankLine,
    line(piece('Views', 'bold')),
    ...views,
    blankLine,
    ...wrapped('Times are UTC. Rates are per second since the look before.', columns).map((each) =>
      line(piece(each, 'dim')),
    ),
  ];
}

function keyLines(key: string, does: string, columns: number): ScreenLine[] {
  if (columns >= columnsMin) {
    const [first = '', ...rest] = wrapped(does, columns - keyWidth);
    return [
      line(piece(key.padEnd(keyWidth), 'accent'), first),
      ...rest.map((each) => line(' '.repeat(keyWidth), each)),
    ];
  }
  return [
    line(piece(key, 'accent')),
    ...wrapped(does, columns - 2).map((each) => line('  ', each)),
  ];
}
