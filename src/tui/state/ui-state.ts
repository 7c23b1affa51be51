import type { ClusterAction } from '../../operations/act/cluster-action.ts';
import type { Seek } from '../feeds/feed.ts';
import { freshView, type Place, type ViewState } from '../views/view.ts';
import type { Action } from './action.ts';

/** Everything the keys decide. What is on the screen follows from it and the picture alone. */
export interface UiState {
  readonly place: Place;
  /** The places before, for esc. */
  readonly trail: readonly Place[];
  /** By name of the view. */
  readonly views: Readonly<Record<string, ViewState>>;
  readonly mode: Mode;
  readonly isPaused: boolean;
  readonly message: Message | null;
}

export type Mode =
  | { readonly kind: 'browse' }
  | { readonly kind: 'command'; readonly text: string }
  | { readonly kind: 'filter'; readonly text: string }
  | { readonly kind: 'help'; readonly top: number }
  | MenuMode
  | {
      readonly kind: 'confirm';
      readonly warning: readonly string[];
      readonly request: ClusterAction;
    };

export interface MenuMode {
  readonly kind: 'menu';
  readonly title: string;
  readonly actions: readonly Action[];
  readonly at: number;
}

export interface Message {
  readonly text: string;
  readonly tone: 'good' | 'warning' | 'bad';
}

/** What a key makes happen outside of the screen. */
export type Effect =
  | { readonly kind: 'quit' }
  | { readonly kind: 'suspend' }
  | { readonly kind: 'act'; readonly request: ClusterAction }
  | { readonly kind: 'pause'; readonly isPaused: boolean }
  | { readonly kind: 'seek'; readonly target: Seek };

export const browsing: Mode = { kind: 'browse' };

export function initialUi(place: Place, isPaused: boolean): UiState {
  return { place, trail: [], views: {}, mode: browsing, isPaused, message: null };
}

export function viewStateOf({ views, place }: UiState): ViewState {
  return views[place.view] ?? freshView;
}

export function withViewState(ui: UiState, news: Partial<ViewState>): UiState {
  const changed = { ...viewStateOf(ui), ...news };
  return { ...ui, views: { ...ui.views, [ui.place.view]: changed } };
}
