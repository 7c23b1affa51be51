import { mainViews, viewNamed } from '../views/registry.ts';
import type { PageView, Sort, TableView } from '../views/view.ts';
import { arrangeRows, firstShown, sortOf, tableRoom } from './arranged-rows.ts';
import { goBack, goTo } from './go-to.ts';
import type { KeyPress } from './key-press.ts';
import type { Around, Pressed } from './press-key.ts';
import { type Effect, type UiState, viewStateOf, withViewState } from './ui-state.ts';

/** A minute of looks, one a second. */
const leap = 60;

/** What a key does while nothing is being typed or asked. */
export function pressInBrowse(ui: UiState, key: KeyPress, around: Around): Pressed {
  const calm = ui.message ? { ...ui, message: null } : ui;
  const view = viewNamed(ui.place.view);
  return (
    pressAnywhere(calm, key, around) ??
    pressInTime(calm, key, around) ??
    (view.kind === 'table'
      ? pressInTable(calm, view, key, around)
      : pressOnPage(calm, view, key, around))
  );
}

const only = (ui: UiState): Pressed => ({ ui, effect: null });

function pressAnywhere(ui: UiState, key: KeyPress, { picture }: Around): Pressed | null {
  if (key.ctrl) return null;
  if (key.name === 'escape') {
    const { filter } = viewStateOf(ui);
    return only(filter === '' ? goBack(ui) : withViewState(ui, { filter: '', pages: [] }));
  }
  switch (key.text) {
    case 'q':
      return { ui, effect: { kind: 'quit' } };
    case ':':
      return only({ ...ui, mode: { kind: 'command', text: '' } });
    case '?':
      return only({ ...ui, mode: { kind: 'help', top: 0 } });
    case 'p': {
      const isPaused = picture.isReplay ? (picture.slider?.isPlaying ?? false) : !ui.isPaused;
      return { ui: { ...ui, isPaused }, effect: { kind: 'pause', isPaused } };
    }
  }
  const chosen = /^[1-9]$/.test(key.text) ? mainViews[Number(key.text) - 1] : undefined;
  return chosen ? only(goTo(ui, { view: chosen.name, subject: null })) : null;
}

/** Left and right move through time when it stands still. */
function pressInTime(ui: UiState, key: KeyPress, { picture }: Around): Pressed | null {
  if (picture.slider === null) return null;
  const by = (steps: number): Effect => ({ kind: 'seek', target: { kind: 'by', steps } });
  if (key.name === 'left') return { ui, effect: by(-1) };
  if (key.name === 'right') return { ui, effect: by(1) };
  if (key.text === '{' || key.text === '<') return { ui, effect: by(-leap) };
  if (key.text === '}' || key.text === '>') return { ui, effect: by(leap) };
  return null;
}

function pressInTable(ui: UiState, view: TableView, key: KeyPress, around: Around): Pressed {
  const { picture, body } = around;
  const state = viewStateOf(ui);
  const { rows, at } = arrangeRows(view, picture, state);
  const row = at === null ? undefined : rows[at];
  const target = moved(key, at ?? 0, rows.length, tableRoom(body));
  if (target !== null) {
    const selected = rows[target] === undefined ? null : view.keyOf(rows[target]);
    const top = firstShown(state.top, target, rows.length, tableRoom(body));
    return only(withViewState(ui, { selected, at: target, top }));
  }
  if (key.name === 'enter') {
    const place = row === undefined ? null : (view.open?.(row) ?? null);
    return only(place ? goTo(ui, place) : ui);
  }
  switch (key.text) {
    case '/':
      return only({ ...ui, mode: { kind: 'filter', text: state.filter } });
    case 's':
      return only(withViewState(ui, { sort: nextSort(view, sortOf(view, state)) }));
    case 'S':
      return only(withViewState(ui, { sort: reversed(sortOf(view, state)) }));
    case 'x':
      return only(openMenu(ui, row === undefined ? [] : view.actions?.(row, picture), around));
    case ']': {
      const next = view.nextPage?.(picture) ?? null;
      // Pressed again before the page has come, it would turn to the same one.
      const isThere = next === null || next === state.pages.at(-1);
      return only(isThere ? ui : turnTo(ui, [...state.pages, next]));
    }
    case '[':
      return only(turnTo(ui, state.pages.slice(0, -1)));
  }
  return only(ui);
}

function turnTo(ui: UiState, pages: readonly string[]): UiState {
  return withViewState(ui, { pages, at: 0, top: 0, selected: null });
}

function pressOnPage(ui: UiState, view: PageView, key: KeyPress, around: Around): Pressed {
  const state = viewStateOf(ui);
  const panes = view.panes?.length ?? 1;
  const room = Math.max(1, around.body.rows - 4);
  if (key.name === 'tab')
    return only(withViewState(ui, { pane: (state.pane + 1) % panes, top: 0 }));
  if (key.text === 'x') return only(openMenu(ui, view.actions?.(around.picture), around));
  if (key.text === '/') {
    const message = { text: 'only lists can be filtered', tone: 'warning' } as const;
    return only({ ...ui, message });
  }
  // The tail begins at its end, so up leads away from it.
  const sign = state.pane === 0 ? -1 : 1;
  const rows = view.rowsIn?.(around.picture, state.pane) ?? 0;
  const to = (top: number) =>
    only(withViewState(ui, { top: Math.max(0, Math.min(rows - 1, top)) }));
  if (key.name === 'down' || key.text === 'j') return to(state.top + sign);
  if (key.name === 'up' || key.text === 'k') return to(state.top - sign);
  if (key.name === 'pageDown') return to(state.top + sign * room);
  if (key.name === 'pageUp') return to(state.top - sign * room);
  if (key.name === 'end' || key.text === 'G') return to(sign < 0 ? 0 : rows);
  if (key.name === 'home' || key.text === 'g') return to(sign < 0 ? rows : 0);
  return only(ui);
}

/** Where a key moves the selection; null when it does not. */
function moved(key: KeyPress, at: number, rows: number, page: number): number | null {
  const last = Math.max(0, rows - 1);
  const to = (target: number) => Math.max(0, Math.min(last, target));
  if (key.name === 'down' || key.text === 'j') return to(at + 1);
  if (key.name === 'up' || key.text === 'k') return to(at - 1);
  if (key.name === 'pageDown' || (key.ctrl && key.text === 'f')) return to(at + page);
  if (key.name === 'pageUp' || (key.ctrl && key.text === 'b')) return to(at - page);
  if (key.name === 'home' || key.text === 'g') return 0;
  if (key.name === 'end' || key.text === 'G') return last;
  return null;
}

/** Through the columns, the greatest numbers first, and back to how it is by itself. */
function nextSort({ columns }: TableView, sort: Sort | null): Sort | null {
  const now = columns.findIndex(({ key }) => key === sort?.column);
  const column = columns[now + 1];
  return column ? { column: column.key, isDescending: column.align === 'right' } : null;
}

function reversed(sort: Sort | null): Sort | null {
  return sort && { column: sort.column, isDescending: !sort.isDescending };
}

function openMenu(
  ui: UiState,
  actions: Extract<UiState['mode'], { kind: 'menu' }>['actions'] | undefined,
  { isReadOnly, picture }: Around,
): UiState {
  const say = (text: string): UiState => ({ ...ui, message: { text, tone: 'warning' } });
  if (picture.isReplay) return say('nothing can be done to a recording');
  if (isReadOnly) return say('this dashboard only looks: it was started with --read-only');
  if (picture.link.state !== 'live') return say('nothing can be done while the broker is gone');
  if (!actions || actions.length === 0) return say('there is nothing to do to this');
  return { ...ui, mode: { kind: 'menu', title: 'Do', actions, at: 0 } };
}
