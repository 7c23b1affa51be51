import { Lines, type Size } from '../components/lines.tsx';
import { drawTable, rowInWords } from '../drawing/draw-table.ts';
import { countText } from '../drawing/figures.ts';
import { line, type Piece, piece, type ScreenLine } from '../drawing/screen-line.ts';
import type { Theme } from '../drawing/theme.ts';
import { arrangeRows, firstShown, sortOf, tableRoom } from '../state/arranged-rows.ts';
import type { Picture } from '../state/picture.ts';
import type { TableView, ViewState } from '../views/view.ts';

export interface TableScreenProps {
  readonly view: TableView;
  readonly picture: Picture;
  readonly state: ViewState;
  readonly size: Size;
  readonly theme: Theme;
  readonly isStale?: boolean;
}

/** A list: its title, its header, and the slice of its rows that fits. */
export function TableScreen(props: TableScreenProps) {
  const { size, theme, isStale = false } = props;
  return <Lines lines={tableLines(props)} size={size} theme={theme} isStale={isStale} />;
}

export function tableLines({ view, picture, state, size, theme }: TableScreenProps): ScreenLine[] {
  const { rows, at, isKnown } = arrangeRows(view, picture, state);
  const room = tableRoom(size);
  const top = firstShown(state.top, at, rows.length, room);
  const visible = rows.slice(top, top + room);
  const nowAt = picture.pulse?.at ?? '';
  const title = titleLine({ view, picture, state, count: isKnown ? rows.length : null });
  if (rows.length === 0) {
    const words = isKnown ? (state.filter === '' ? view.empty : 'nothing matches') : 'looking';
    return [title, line(piece(`  ${words}`, 'dim'))];
  }
  const selected = at === null ? null : at - top;
  if (theme.spoken) {
    const words = visible.map((row, place) => {
      const text = rowInWords(view.columns, row, nowAt);
      return line(place === selected ? `selected: ${text}` : text);
    });
    return [title, ...words];
  }
  const { columns } = view;
  const drawing = { columns, rows: visible, selected, sort: sortOf(view, state) };
  return [title, ...drawTable({ ...drawing, width: size.columns, theme, nowAt })];
}

function titleLine(about: {
  readonly view: TableView;
  readonly picture: Picture;
  readonly state: ViewState;
  readonly count: number | null;
}): ScreenLine {
  const { view, picture, state, count } = about;
  const note = view.note?.(picture, state) ?? null;
  const pieces: Piece[] = [piece(view.title, 'bold')];
  if (count !== null) pieces.push(piece(` (${countText(count)})`));
  if (state.filter !== '') pieces.push(piece(`  /${state.filter}`, 'accent'));
  if (note !== null) pieces.push(piece(`  ${note}`, 'dim'));
  return { pieces };
}
