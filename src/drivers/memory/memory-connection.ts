import { BackplaneError } from '../../foundation/errors.ts';
import type { MemoryBroker } from './memory-broker.ts';

/**
 * One engine's way to the broker. Every call goes through it: it fails with CLOSED after `close`,
 * with BACKPLANE_UNREACHABLE while the broker does not answer, and answers in a later microtask.
 */
export class MemoryConnection {
  readonly #broker: MemoryBroker;
  #closed = false;

  constructor(broker: MemoryBroker) {
    this.#broker = broker;
  }

  async call<T>(step: (broker: MemoryBroker) => T): Promise<T> {
    if (this.#closed) throw new BackplaneError('CLOSED', 'the engine in memory was closed');
    this.#broker.requireAnswer();
    return step(this.#broker);
  }

  close(): void {
    this.#closed = true;
  }
}
