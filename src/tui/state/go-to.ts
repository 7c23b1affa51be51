import { freshView, type Place } from '../views/view.ts';
import type { UiState } from './ui-state.ts';

const trailMax = 32;

/** Goes in; esc comes back. */
export function goTo(ui: UiState, place: Place): UiState {
  const { place: from } = ui;
  if (from.view === place.view && from.subject === place.subject) return ui;
  const trail = [...ui.trail, from].slice(-trailMax);
  // What was scrolled to in one document means nothing in another.
  const views = place.subject === null ? ui.views : { ...ui.views, [place.view]: freshView };
  return { ...ui, place, trail, views, message: null };
}

export function goBack(ui: UiState): UiState {
  const place = ui.trail.at(-1);
  if (!place) return ui;
  return { ...ui, place, trail: ui.trail.slice(0, -1), message: null };
}
