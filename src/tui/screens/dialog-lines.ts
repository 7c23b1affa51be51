import { blankLine, line, piece, type ScreenLine } from '../drawing/screen-line.ts';
import { glyphsOf, type Theme } from '../drawing/theme.ts';
import { wrapped } from '../drawing/wrapped.ts';
import type { MenuMode } from '../state/ui-state.ts';

/** What can be done, one line each, with the chosen one marked. */
export function menuLines(menu: MenuMode, rows: number, theme: Theme): ScreenLine[] {
  const room = Math.max(1, rows - 1);
  const top = Math.max(0, Math.min(menu.at - room + 1, menu.actions.length - room));
  const items = menu.actions.slice(top, top + room).map(({ label }, place) => {
    const at = top + place;
    const pointer = at === menu.at ? `${glyphsOf(theme).pointer} ` : '  ';
    const digit = at < 9 ? `${at + 1} ` : '  ';
    return {
      pieces: [piece(pointer), piece(digit, 'accent'), piece(label)],
      isSelected: at === menu.at,
    };
  });
  return [line(piece(menu.title, 'bold')), ...items];
}

/** What will happen, in whole sentences, before it does. */
export function confirmLines(warning: readonly string[], columns: number): ScreenLine[] {
  const text = warning.join(' ');
  return [
    line(piece('Are you sure?', 'warning')),
    blankLine,
    ...wrapped(text, Math.max(10, columns - 2)).map((each) => line(each)),
    blankLine,
    line(piece('y', 'accent'), ' does it, any other key leaves it'),
  ];
}
