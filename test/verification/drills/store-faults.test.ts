import { describe, expect, it, vi } from 'vitest';
import { type BackplaneClient, connect } from '../../../src/client/index.ts';
import { drillStore } from '../../../src/verification/drills/brokers/drill-store.ts';
import type { OwnedBroker } from '../../../src/verification/drills/brokers/owned-broker.ts';
import type { DrillStore } from '../../../src/verification/drills/drill-cluster.ts';
import type { ActiveFault, FaultSite } from '../../../src/verification/drills/fault.ts';
import { storeTrouble } from '../../../src/verification/drills/faults/store-check.ts';
import {
  storeFullFault,
  storeRefuseFault,
} from '../../../src/verification/drills/faults/store-faults.ts';
import type { NodeProcess } from '../../../src/verification/drills/nodes/node-process.ts';
import { SeededRandom } from '../../../src/verification/seeded-random.ts';
import { realClock } from '../../support/real-clock.ts';
import type { RedisServer } from '../../support/redis-server.ts';
import { BrokerGround } from './support/drill-brokers.ts';
import { drilledNode } from './support/drill-nodes.ts';

const kinds = ['sqlite', 'redis'] as const;
const patience = { timeout: 20_000, interval: 20 };

/** A node with its broker and its store, and a peer that writes to it all the time. */
class StoreGround {
  readonly broker: OwnedBroker;
  readonly node: NodeProcess;
  readonly store: DrillStore;
  /** The numbers of the ops that were acknowledged, by their seq. */
  readonly acknowledged = new Map<number, number>();
  readonly #brokers: BrokerGround;
  readonly #client: BackplaneClient;
  #isWriting = true;
  #written: Promise<void>;

  static async make(kind: 'sqlite' | 'redis'): Promise<StoreGround> {
    const brokers = await BrokerGround.make();
    const broker = await brokers.start('redis');
    const store = drillStore(kind, brokers.folder);
    const server = { port: broker.port() } as RedisServer;
    const { node } = await drilledNode(server, { storeUrl: store.url });
    await node.start();
    return new StoreGround(brokers, broker, node, store);
  }

  private constructor(
    brokers: BrokerGround,
    broker: OwnedBroker,
    node: NodeProcess,
    store: DrillStore,
  ) {
    this.#brokers = brokers;
    this.broker = broker;
    this.node = node;
    this.store = store;
    this.#client = connect({ urls: node.address, reconnectMsMax: 500 });
    this.#written = this.#write();
  }

  get site(): FaultSite {
    const { broker, store, node } = this;
    const cluster = { broker, store, nodes: [node], folder: this.#brokers.folder };
    return { cluster, node: null, clock: realClock, random: new SeededRandom(1) };
  }

  /** Resolves when so many more ops were acknowledged. */
  async progress(count: number): Promise<void> {
    const goal = this.acknowledged.size + count;
    await vi.waitFor(() => expect(this.acknowledged.size).toBeGreaterThanOrEqual(goal), patience);
  }

  /** How many ops are acknowledged in this time. */
  async acknowledgedWithin(ms: number): Promise<number> {
    const before = this.acknowledged.size;
    await new Promise((resolve) => setTimeout(resolve, ms));
    return this.acknowledged.size - before;
  }

  /** What the log holds, by seq, read by a peer that was not there. */
  async log(): Promise<Map<number, number>> {
    this.#isWriting = false;
    await this.#written;
    const last = Math.max(...this.acknowledged.keys());
    const read = new Map<number, number>();
    const reader = connect({ urls: this.node.address });
    try {
      for await (const { seq, payload } of reader.open('d', { since: 0 })) {
        read.set(seq, (payload as { n: number }).n);
        if (seq >= last) break;
      }
      return read;
    } finally {
      await reader.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isWriting = false;
    await this.#client.close();
    await this.#written;
    await this.node.kill();
    await this.#brokers[Symbol.asyncDispose]();
  }

  async #write(): Promise<void> {
    const document = this.#client.open('d');
    for (let n = 1; this.#isWriting; n++) {
      await document.send({ n }).then(
        ({ seq }) => void this.acknowledged.set(seq, n),
        () => {},
      );
    }
  }
}

async function tookEffect(ground: StoreGround, active: ActiveFault): Promise<string> {
  const { pid } = ground.node;
  // What was under way when it began may still be answered.
  await ground.acknowledgedWithin(100);
  expect(await ground.acknowledgedWithin(700)).toBe(0);
  const evidence = await active.evidence();
  await active.revert();
  await active.revert();
  await ground.progress(20);
  expect(ground.node.pid).toBe(pid);
  const log = await ground.log();
  for (const [seq, n] of ground.acknowledged) expect([seq, log.get(seq)]).toEqual([seq, n]);
  expect(new Set(log.values()).size).toBe(log.size);
  return String(evidence);
}

describe.each(kinds)('a store that refuses writes: %s', (kind) => {
  it('takes none, keeps what was acknowledged, and goes on afterwards', async () => {
    await using ground = await StoreGround.make(kind);
    expect(storeRefuseFault.unfit(ground.site.cluster)).toBeNull();
    await ground.progress(20);
    const active = await storeRefuseFault.inject(ground.site, {});
    const evidence = await tookEffect(ground, active);
    expect(evidence).toMatch(
      /the store refused (a write of ours: .*locked|\d+ commands with NOREPLICAS)/,
    );
  });
});

describe.each(kinds)('a store without room: %s', (kind) => {
  it('takes no writes, keeps what was acknowledged, and goes on afterwards', async () => {
    await using ground = await StoreGround.make(kind);
    expect(storeFullFault.unfit(ground.site.cluster)).toBeNull();
    await ground.progress(20);
    const active = await storeFullFault.inject(ground.site, {});
    const evidence = await tookEffect(ground, active);
    expect(evidence).toMatch(/takes no writes: .*STORE_|refused \d+ commands with MISCONF/);
    expect(await storeTrouble(ground.node, realClock)).toBeNull();
  });
});
