import type { ChannelRow, Inspector, LeaseRow } from '../../ports/inspector.ts';
import type { MemoryBroker } from './memory-broker.ts';

const pageSize = 1_000;

/** Reads the broker's maps, a page at a time. */
export class MemoryInspector implements Inspector {
  readonly #broker: MemoryBroker;

  constructor(broker: MemoryBroker) {
    this.#broker = broker;
  }

  async *leases(): AsyncGenerator<LeaseRow[]> {
    yield* pages(this.#broker.leases, ([doc, record]) => ({ doc, ...record }));
  }

  async *channels(): AsyncGenerator<ChannelRow[]> {
    yield* pages(this.#broker.channels, ([channel, { size }]) => ({ channel, receivers: size }));
  }

  async ping(): Promise<number> {
    return 0;
  }
}

function* pages<Entry, Row>(
  entries: Iterable<Entry>,
  toRow: (entry: Entry) => Row,
): Generator<Row[]> {
  let page: Row[] = [];
  for (const entry of entries) {
    page.push(toRow(entry));
    if (page.length < pageSize) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
