import { MemoryBroker } from '../../../src/drivers/memory/memory-broker.ts';
import { openMemoryEngine } from '../../../src/drivers/memory/memory-engine.ts';
import { MemoryLogs, MemoryStore } from '../../../src/drivers/memory/memory-store.ts';
import { SystemClock } from '../../../src/drivers/system/system-clock.ts';
import { SystemRandom } from '../../../src/drivers/system/system-random.ts';
import { dials } from '../../../src/foundation/limits.ts';
import { createGateway, type Gateway, type GatewaySettings } from '../../../src/gateway/gateway.ts';
import type { Logger } from '../../../src/ports/logger.ts';
import type { BackplaneNode } from '../../../src/runtime/node.ts';
import { NodeRuntime } from '../../../src/runtime/node-runtime.ts';
import { noRedirects, type RelaySettings } from '../../../src/runtime/relay/redirect-rules.ts';
import { RawPeer } from './raw-peer.ts';

export type GatewayOptions = Partial<Omit<GatewaySettings, 'clock' | 'random' | 'logger'>>;

export interface ServedNode {
  readonly node: BackplaneNode;
  readonly gateway: Gateway;
  readonly address: string;
}

/**
 * A cluster in this process, with real gateways on free ports. Use it with `await using`, and it is
 * gone however the test ends.
 */
export class GatewayWorld implements AsyncDisposable {
  readonly clock = new SystemClock();
  readonly random = new SystemRandom();
  readonly logged: string[] = [];
  readonly logger: Logger = {
    event: (level, name, facts) => this.logged.push(JSON.stringify({ level, name, ...facts })),
  };
  readonly #broker = new MemoryBroker(this.clock, this.random);
  readonly #logs = new MemoryLogs(this.random);
  readonly #ending: (() => Promise<unknown> | unknown)[] = [];

  async gateway(options: GatewayOptions = {}): Promise<Gateway> {
    const { clock, random, logger } = this;
    const place = { host: '127.0.0.1', port: 0, token: null };
    const gateway = await createGateway({ ...place, ...options, clock, random, logger });
    this.#ending.push(() => gateway.stop());
    return gateway;
  }

  async node(
    nodeId: string,
    documentEngine: 'json' | 'log' = 'json',
    address: string | null = null,
    relay?: RelaySettings,
  ): Promise<NodeRuntime> {
    const { clock, random, logger } = this;
    const engine = openMemoryEngine(this.#broker);
    const store = new MemoryStore(this.#logs);
    const node = new NodeRuntime(
      { engine, store, clock, random, logger },
      {
        nodeId,
        version: '0.0.0-test',
        pid: process.pid,
        address: () => address,
        dials,
        fastTakeover: true,
        documentEngine,
        relay,
        drainRequested() {},
      },
    );
    await node.start();
    this.#ending.push(() => node.stop('crash'));
    return node;
  }

  async serve(
    nodeId: string,
    options: GatewayOptions & { engine?: 'json' | 'log'; relay?: Partial<RelaySettings> } = {},
  ): Promise<ServedNode> {
    const { engine, relay, ...settings } = options;
    const gateway = await this.gateway(settings);
    const told = relay && { ...noRedirects, publicUrl: gateway.address(), ...relay };
    const node = await this.node(nodeId, engine, gateway.address(), told);
    gateway.serve(node);
    return { node, gateway, address: gateway.address() };
  }

  /** A peer that has said hello. */
  async peer(address: string): Promise<RawPeer> {
    const peer = RawPeer.connect(address);
    this.#ending.push(() => peer.terminate());
    peer.send({ type: 'hello', peerProtocol: 1 });
    await peer.next('welcome');
    return peer;
  }

  /** Ended with everything else. */
  track<T>(thing: T, end: (thing: T) => Promise<unknown> | unknown): T {
    this.#ending.push(() => end(thing));
    return thing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#ending.reverse()) await end();
  }
}
