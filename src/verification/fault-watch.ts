import type { HistoryEvent } from './history-event.ts';

/** Since when nothing was broken on purpose: null while a fault lasts. */
export class FaultWatch {
  readonly #active = new Set<string>();
  #quietSinceMs = Number.NEGATIVE_INFINITY;

  observe(event: HistoryEvent): void {
    if (event.ev === 'fault.start') this.#active.add(event.id);
    if (event.ev === 'fault.end') this.#active.delete(event.id);
    if (event.ev === 'fault.start' || event.ev === 'fault.end') this.#quietSinceMs = event.atMs;
  }

  get quietSinceMs(): number | null {
    return this.#active.size > 0 ? null : this.#quietSinceMs;
  }
}
