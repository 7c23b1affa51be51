import { asBackplaneError } from '../../foundation/errors.ts';
import type { Clock } from '../../ports/clock.ts';

/** A page, what it answers, and why it could not be read anew; null when it was. */
export type PacedView<Query, Page> = Page & {
  readonly query: Query;
  readonly failure: string | null;
};

export interface PacedReadingParts<Query, Page> {
  readonly clock: Clock;
  readonly everyMs: number;
  read(query: Query): Promise<Page>;
  /** What to show of a query that failed before it was ever answered. */
  instead(query: Query, before: Page | null): Page;
  changed(): void;
}

/** Reads the page somebody looks at, less often than the pulse, and keeps it when it cannot. */
export class PacedReading<Query, Page extends object> {
  readonly #parts: PacedReadingParts<Query, Page>;
  #query: Query | null = null;
  #readMs = Number.NEGATIVE_INFINITY;
  #view: PacedView<Query, Page> | null = null;

  constructor(parts: PacedReadingParts<Query, Page>) {
    this.#parts = parts;
  }

  get view(): PacedView<Query, Page> | null {
    return this.#view;
  }

  /** Answers whether that is something else than before; then it is read at once. */
  wish(query: Query | null): boolean {
    const turned = JSON.stringify(query) !== JSON.stringify(this.#query);
    this.#query = query;
    if (turned) this.#readMs = Number.NEGATIVE_INFINITY;
    return turned;
  }

  /** When it is time. */
  async read(): Promise<void> {
    const query = this.#query;
    const nowMs = this.#parts.clock.monotonicMs();
    if (query === null || nowMs - this.#readMs < this.#parts.everyMs) return;
    this.#readMs = nowMs;
    try {
      this.#show({ ...(await this.#parts.read(query)), query, failure: null });
    } catch (thrown) {
      const { message } = asBackplaneError(thrown);
      this.#show({ ...this.#parts.instead(query, this.#view), query, failure: message });
    }
  }

  /** An answer to what nobody wants any more is dropped. */
  #show(view: PacedView<Query, Page>): void {
    if (JSON.stringify(view.query) !== JSON.stringify(this.#query)) return;
    this.#view = view;
    this.#parts.changed();
  }
}
