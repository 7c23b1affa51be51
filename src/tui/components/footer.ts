import { line, piece, type ScreenLine } from '../drawing/screen-line.ts';
import type { Picture } from '../state/picture.ts';
import type { UiState } from '../state/ui-state.ts';
import { viewNamed } from '../views/registry.ts';

type Hint = readonly [key: string, does: string];

/** The last row: what is being typed, what came of the last key, or the keys that make sense here. */
export function footer(ui: UiState, picture: Picture, isReadOnly: boolean): ScreenLine {
  const { mode, message } = ui;
  switch (mode.kind) {
    case 'command':
      return line(piece(':', 'title'), mode.text, piece('_', 'dim'));
    case 'filter':
      return line(piece('/', 'title'), mode.text, piece('_', 'dim'));
    case 'confirm':
      return hints([
        ['y', 'do it'],
        ['any other key', 'leave it'],
      ]);
    case 'menu':
      return hints([
        ['enter', 'choose'],
        ['j k', 'move'],
        ['esc', 'leave'],
      ]);
    case 'help':
      return hints([
        ['j k', 'scroll'],
        ['any other key', 'back'],
      ]);
    case 'browse':
      if (message !== null) return line(piece(message.text, message.tone));
      return hints(browseHints(ui, picture, isReadOnly));
  }
}

/** The most needed first: what does not fit is cut. */
function browseHints(ui: UiState, picture: Picture, isReadOnly: boolean): Hint[] {
  const view = viewNamed(ui.place.view);
  const canAct = view.actions !== undefined && !isReadOnly && !picture.isReplay;
  const hints: (Hint | false)[] = [
    ['?', 'help'],
    ['q', 'quit'],
    [':', 'go'],
    picture.slider !== null && ['left right', 'time'],
    view.kind === 'table' && ['/', 'filter'],
    view.kind === 'table' && view.open !== undefined && ['enter', 'open'],
    view.kind === 'page' && view.panes !== undefined && ['tab', 'next pane'],
    canAct && ['x', 'act'],
    ui.trail.length > 0 && ['esc', 'back'],
    view.kind === 'table' && ['s', 'sort'],
    ['p', picture.isReplay ? 'play' : ui.isPaused ? 'go on' : 'pause'],
  ];
  return hints.filter((hint) => hint !== false);
}

function hints(all: readonly Hint[]): ScreenLine {
  return {
    pieces: all.flatMap(([key, does]) => [piece(key, 'accent'), piece(` ${does}   `, 'dim')]),
  };
}
