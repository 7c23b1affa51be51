import type { Size } from '../components/lines.tsx';
import type { KeyPress } from './key-press.ts';
import type { Picture } from './picture.ts';
import { pressInBrowse } from './press-in-browse.ts';
import { runCommandWord } from './run-command-word.ts';
import { browsing, type Effect, type UiState, withViewState } from './ui-state.ts';

/** What a key has to know besides the state. */
export interface Around {
  readonly picture: Picture;
  /** The room for the view. */
  readonly body: Size;
  readonly isReadOnly: boolean;
}

export interface Pressed {
  readonly ui: UiState;
  readonly effect: Effect | null;
}

/** What a key does. Touches nothing: what happens outside of the screen is told as an effect. */
export function pressKey(ui: UiState, key: KeyPress, around: Around): Pressed {
  if (key.ctrl && key.text === 'c') return { ui, effect: { kind: 'quit' } };
  if (key.ctrl && key.text === 'z') return { ui, effect: { kind: 'suspend' } };
  const { mode } = ui;
  switch (mode.kind) {
    case 'browse':
      return pressInBrowse(ui, key, around);
    case 'command':
    case 'filter':
      return pressInPrompt(ui, mode, key, around);
    case 'help':
      return pressInHelp(ui, mode.top, key);
    case 'menu':
      return pressInMenu(ui, mode, key);
    case 'confirm': {
      // Anything but a clear yes is a no.
      const isYes = key.text === 'y' || key.text === 'Y';
      const effect = isYes ? ({ kind: 'act', request: mode.request } as const) : null;
      const message = isYes ? null : ({ text: 'nothing was done', tone: 'warning' } as const);
      return { ui: { ...ui, mode: browsing, message }, effect };
    }
  }
}

function pressInPrompt(
  ui: UiState,
  mode: { readonly kind: 'command' | 'filter'; readonly text: string },
  key: KeyPress,
  around: Around,
): Pressed {
  const { kind, text } = mode;
  if (key.name === 'escape') {
    const closed = { ...ui, mode: browsing };
    return { ui: kind === 'filter' ? filterBy(closed, '') : closed, effect: null };
  }
  if (key.name === 'enter') {
    const closed = { ...ui, mode: browsing };
    if (kind === 'filter') return { ui: filterBy(closed, text), effect: null };
    return runCommandWord(closed, text.trim(), around);
  }
  const typed = edited(text, key);
  if (typed === null) return { ui: { ...ui, mode: browsing }, effect: null };
  const next = { ...ui, mode: { kind, text: typed } };
  // A filter works as it is typed.
  return { ui: kind === 'filter' ? filterBy(next, typed) : next, effect: null };
}

/** The text after the key; null when backspace leaves the prompt. */
function edited(text: string, key: KeyPress): string | null {
  if (key.name === 'backspace') return text === '' ? null : text.slice(0, -1);
  if (key.ctrl && key.text === 'u') return '';
  if (key.ctrl || key.name !== null) return text;
  return (text + key.text).slice(0, 512);
}

function filterBy(ui: UiState, filter: string): UiState {
  return withViewState(ui, { filter, top: 0, pages: [] });
}

function pressInHelp(ui: UiState, top: number, key: KeyPress): Pressed {
  if (key.name === 'down' || key.text === 'j') return help(ui, top + 1);
  if (key.name === 'up' || key.text === 'k') return help(ui, Math.max(0, top - 1));
  return { ui: { ...ui, mode: browsing }, effect: null };
}

function help(ui: UiState, top: number): Pressed {
  return { ui: { ...ui, mode: { kind: 'help', top } }, effect: null };
}

function pressInMenu(
  ui: UiState,
  mode: Extract<UiState['mode'], { kind: 'menu' }>,
  key: KeyPress,
): Pressed {
  const last = mode.actions.length - 1;
  const move = (at: number) => ({
    ui: { ...ui, mode: { ...mode, at: Math.max(0, Math.min(last, at)) } },
    effect: null,
  });
  if (key.name === 'down' || key.text === 'j') return move(mode.at + 1);
  if (key.name === 'up' || key.text === 'k') return move(mode.at - 1);
  if (key.name === 'escape' || key.text === 'q' || key.text === 'x') {
    return { ui: { ...ui, mode: browsing }, effect: null };
  }
  const digit = /^[1-9]$/.test(key.text) ? Number(key.text) - 1 : null;
  const chosen = mode.actions[key.name === 'enter' ? mode.at : (digit ?? -1)];
  if (!chosen) return { ui, effect: null };
  const { next } = chosen;
  if (next.kind === 'confirm') return { ui: { ...ui, mode: next }, effect: null };
  return { ui: { ...ui, mode: { ...next, at: 0 } }, effect: null };
}
