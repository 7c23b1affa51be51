import type { Clock } from '../../ports/clock.ts';
import type { ChannelRow, Inspector, LeaseRow } from '../../ports/inspector.ts';
import type { MemoryBroker } from './memory-broker.ts';
import type { MemoryConnection } from './memory-connection.ts';

const rowsPerPage = 500;

/** Reads the broker's maps page by page, letting others go on between two pages. */
export class MemoryInspector implements Inspector {
  readonly #connection: MemoryConnection;
  readonly #clock: Clock;

  constructor(connection: MemoryConnection, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
  }

  leases(): AsyncIterable<LeaseRow[]> {
    return this.#pages(
      ({ directory }) => directory.entries(),
      ([doc, record]) => ({ doc, ...record }),
    );
  }

  channels(): AsyncIterable<ChannelRow[]> {
    return this.#pages(
      ({ channels }) => channels.entries(),
      ([channel, hearers]) => ({ channel, receivers: hearers.size }),
    );
  }

  async ping(): Promise<number> {
    const sentMs = this.#clock.monotonicMs();
    await this.#connection.call(() => {});
    return this.#clock.monotonicMs() - sentMs;
  }

  async *#pages<Entry, Row>(
    open: (broker: MemoryBroker) => Iterator<Entry>,
    rowOf: (entry: Entry) => Row,
  ): AsyncIterable<Row[]> {
    // The iterator of a map goes on correctly while the map changes.
    const entries = await this.#connection.call(open);
    for (;;) {
      const rows = await this.#connection.call(() => {
        const page: Row[] = [];
        while (page.length < rowsPerPage) {
          const next = entries.next();
          if (next.done) break;
          page.push(rowOf(next.value));
        }
        return page;
      });
      if (rows.length === 0) return;
      yield rows;
    }
  }
}
