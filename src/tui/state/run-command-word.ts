import { findView } from '../views/registry.ts';
import { goTo } from './go-to.ts';
import type { Around, Pressed } from './press-key.ts';
import type { UiState } from './ui-state.ts';

const timeOfDay = /^([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/;

/** What somebody typed after `:`: a view, `doc NAME`, a time of day, or `q`. */
export function runCommandWord(ui: UiState, text: string, { picture }: Around): Pressed {
  const [word = '', ...rest] = text.split(/\s+/);
  const subject = rest.join(' ');
  if (text === '') return { ui, effect: null };
  if (word === 'q' || word === 'quit' || word === 'q!') return { ui, effect: { kind: 'quit' } };
  if (word === 'help') return { ui: { ...ui, mode: { kind: 'help', top: 0 } }, effect: null };
  if (timeOfDay.test(word)) {
    const time = word.indexOf(':') === 1 ? `0${word}` : word;
    const paused = picture.isReplay ? ui : { ...ui, isPaused: true };
    return { ui: paused, effect: { kind: 'seek', target: { kind: 'time', time } } };
  }
  if (subject !== '' && /^d(oc(ument)?)?$/.test(word)) {
    return { ui: goTo(ui, { view: 'document', subject }), effect: null };
  }
  const view = findView(word);
  if (view) return { ui: goTo(ui, { view: view.name, subject: null }), effect: null };
  const message = { text: `there is no view "${word}": ? lists them`, tone: 'warning' } as const;
  return { ui: { ...ui, message }, effect: null };
}
