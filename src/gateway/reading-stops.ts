import type { Pausable } from './message-pace.ts';

/** A socket that is read only while nobody wants it stopped. */
export class ReadingStops {
  readonly #socket: Pausable;
  readonly #stops = new Set<string>();

  constructor(socket: Pausable) {
    this.#socket = socket;
  }

  get isStopped(): boolean {
    return this.#stops.size > 0;
  }

  /** One reason to stop; it stops and goes on independently of the others. */
  for(reason: string): Pausable {
    return {
      pause: () => {
        this.#stops.add(reason);
        this.#socket.pause();
      },
      resume: () => {
        if (this.#stops.delete(reason) && this.#stops.size === 0) this.#socket.resume();
      },
    };
  }
}
