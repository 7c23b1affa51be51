import { asBackplaneError } from '../foundation/errors.ts';
import type { ClusterAction } from '../operations/act/cluster-action.ts';
import type { Size } from './components/lines.tsx';
import type { Feed } from './feeds/feed.ts';
import type { KeyPress } from './state/key-press.ts';
import { noWish, type Picture } from './state/picture.ts';
import { pressKey } from './state/press-key.ts';
import { type Effect, initialUi, type UiState, viewStateOf } from './state/ui-state.ts';
import { homeView, viewNamed } from './views/registry.ts';
import type { Place } from './views/view.ts';

export interface DashboardParts {
  readonly feed: Feed;
  /** Null: this dashboard only looks. */
  readonly act: ((action: ClusterAction) => Promise<string>) | null;
  readonly place?: Place;
  /** For somebody who listens: the screen stands still until a key, or until something happens. */
  readonly isSpoken: boolean;
  readonly quit: () => void;
  readonly suspend: () => void;
}

/** All there is to draw, as one value. */
export interface Snapshot {
  readonly ui: UiState;
  readonly picture: Picture;
}

/** Joins what comes from the cluster with what the keys decide; knows no terminal. */
export class Dashboard {
  readonly #parts: DashboardParts;
  readonly #listeners = new Set<() => void>();
  #ui: UiState;
  #body: Size = { columns: 80, rows: 22 };
  #snapshot: Snapshot;

  constructor(parts: DashboardParts) {
    this.#parts = parts;
    const home = { view: homeView.name, subject: null };
    this.#ui = initialUi(parts.place ?? home, parts.feed.picture().isReplay);
    this.#snapshot = { ui: this.#ui, picture: parts.feed.picture() };
    parts.feed.onChange(() => this.#changed());
  }

  get isReadOnly(): boolean {
    return this.#parts.act === null;
  }

  start(): void {
    this.#wish();
    this.#parts.feed.start();
  }

  /** Bound, for React. */
  readonly subscribe = (listen: () => void): (() => void) => {
    this.#listeners.add(listen);
    return () => this.#listeners.delete(listen);
  };

  readonly snapshot = (): Snapshot => this.#snapshot;

  /** The room that the view has on the screen. */
  resize(body: Size): void {
    this.#body = body;
  }

  press(keys: readonly KeyPress[]): void {
    for (const key of keys) {
      const picture = this.#parts.feed.picture();
      const around = { picture, body: this.#body, isReadOnly: this.isReadOnly };
      const { ui, effect } = pressKey(this.#ui, key, around);
      this.#ui = ui;
      this.#wish();
      if (effect) this.#carryOut(effect);
    }
    this.#show();
  }

  #carryOut(effect: Effect): void {
    const { feed, quit, suspend } = this.#parts;
    switch (effect.kind) {
      case 'quit':
        return quit();
      case 'suspend':
        return suspend();
      case 'pause':
        return feed.pause(effect.isPaused);
      case 'seek':
        return feed.seek(effect.target);
      case 'act':
        void this.#act(effect.request);
    }
  }

  async #act(request: ClusterAction): Promise<void> {
    this.#say({ text: `${request.kind} is under way`, tone: 'warning' });
    try {
      const text = (await this.#parts.act?.(request)) ?? 'nothing was done';
      this.#say({ text, tone: 'good' });
    } catch (thrown) {
      const { message, remedy } = asBackplaneError(thrown);
      this.#say({ text: `${message} (${remedy})`, tone: 'bad' });
    }
  }

  #say(message: UiState['message']): void {
    this.#ui = { ...this.#ui, message };
    this.#show();
  }

  #wish(): void {
    const { place } = this.#ui;
    const wish = viewNamed(place.view).wish?.(place, viewStateOf(this.#ui)) ?? {};
    this.#parts.feed.wish({ ...noWish, ...wish });
  }

  #changed(): void {
    if (this.#parts.isSpoken && !isNews(this.#snapshot.picture, this.#parts.feed.picture())) return;
    this.#show();
  }

  #show(): void {
    this.#snapshot = { ui: this.#ui, picture: this.#parts.feed.picture() };
    for (const listen of this.#listeners) listen();
  }
}

/** Whether a listener would want to be interrupted. */
function isNews(before: Picture, now: Picture): boolean {
  return (
    before.link.state !== now.link.state ||
    before.events.length !== now.events.length ||
    (before.pulse === null) !== (now.pulse === null) ||
    (before.document === null) !== (now.document === null) ||
    (before.directory === null) !== (now.directory === null) ||
    before.listing?.kind !== now.listing?.kind ||
    (before.pulse?.documents === null) !== (now.pulse?.documents === null)
  );
}
