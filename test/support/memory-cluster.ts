import { MemoryBroker } from '../../src/drivers/memory/memory-broker.ts';
import { openMemoryEngine } from '../../src/drivers/memory/memory-engine.ts';
import { MemoryStore } from '../../src/drivers/memory/memory-store.ts';
import type { Engine } from '../../src/ports/engine.ts';
import type { LogFacts, LogLevel } from '../../src/ports/logger.ts';
import { clusterTagOf } from '../../src/runtime/frames.ts';
import { NodeRuntime } from '../../src/runtime/node-runtime.ts';
import { defaultDials, type NodeDials } from '../../src/runtime/node-settings.ts';
import type { Visitor } from '../../src/runtime/visitor.ts';
import { openVisitor } from '../../src/runtime/visitor-runtime.ts';
import { SeededRandom } from '../../src/verification/seeded-random.ts';
import { FaultyBus } from './faulty-bus.ts';
import { NodeClock } from './node-clock.ts';
import { PortFaults } from './port-faults.ts';
import { RewindableLogs } from './rewindable-logs.ts';
import { settle, VirtualClock } from './virtual-clock.ts';

export interface ClusterOptions {
  readonly dials?: Partial<NodeDials>;
  readonly fastTakeover?: boolean;
  readonly documentEngine?: 'json' | 'log';
}

export interface LoggedEvent {
  readonly level: LogLevel;
  readonly name: string;
  readonly facts: LogFacts;
}

/** A node of the cluster and the hands on its world. */
export interface ClusterNode {
  readonly nodeId: string;
  readonly runtime: NodeRuntime;
  readonly clock: NodeClock;
  readonly bus: FaultyBus;
  readonly faults: PortFaults;
  readonly events: LoggedEvent[];
  counter(name: string): number;
  /** `kill -9`: it does nothing more, and its connections close. */
  kill(): Promise<void>;
  /** `kill -STOP`: it stands still, its connections stay. */
  pause(): void;
  resume(): void;
}

/**
 * Nodes of one cluster in this process, on the memory drivers, in virtual time. Each node has its
 * own clock and its own faults.
 */
export class MemoryCluster {
  readonly clock = new VirtualClock();
  readonly random = new SeededRandom(7);
  readonly broker = new MemoryBroker(this.clock, this.random);
  readonly logs = new RewindableLogs(this.random);
  readonly nodes: ClusterNode[] = [];
  readonly #options: ClusterOptions;
  readonly #visitors: Visitor[] = [];

  private constructor(options: ClusterOptions) {
    this.#options = options;
  }

  static async start(nodeIds: readonly string[], options: ClusterOptions = {}) {
    const cluster = new MemoryCluster(options);
    for (const nodeId of nodeIds) await cluster.add(nodeId);
    return cluster;
  }

  /** The broker and the store as they are, for looking without leaving a trace in a node's calls. */
  get engine(): Engine {
    return openMemoryEngine(this.broker);
  }

  get store(): MemoryStore {
    return new MemoryStore(this.logs);
  }

  node(nodeId: string): ClusterNode {
    const node = this.nodes.find((one) => one.nodeId === nodeId);
    if (!node) throw new Error(`no node "${nodeId}" was started`);
    return node;
  }

  async add(nodeId: string, options: ClusterOptions = {}): Promise<ClusterNode> {
    const node = this.make(nodeId, options);
    await this.run(node.runtime.start());
    return node;
  }

  /** A node that was not started yet. */
  make(nodeId: string, options: ClusterOptions = {}): ClusterNode {
    const {
      dials,
      fastTakeover = true,
      documentEngine = 'json',
    } = { ...this.#options, ...options };
    const clock = new NodeClock(this.clock);
    const faults = new PortFaults();
    const plain = openMemoryEngine(this.broker, clock);
    const bus = new FaultyBus(plain.bus, clock, () =>
      clusterTagOf(this.broker.clusterRecord?.id ?? ''),
    );
    const events: LoggedEvent[] = [];
    const engine: Engine = {
      ...plain,
      bus: faults.wrap('bus', bus),
      sessions: faults.wrap('sessions', plain.sessions),
      leases: faults.wrap('leases', plain.leases),
      registry: faults.wrap('registry', plain.registry),
      clusterRecords: faults.wrap('clusterRecords', plain.clusterRecords),
      cacheRecords: faults.wrap('cacheRecords', plain.cacheRecords),
    };
    const runtime = new NodeRuntime(
      {
        engine,
        store: faults.wrap('store', new MemoryStore(this.logs)),
        clock,
        random: this.random,
        logger: { event: (level, name, facts = {}) => void events.push({ level, name, facts }) },
      },
      {
        nodeId,
        version: '0.0.0-test',
        pid: 1_000 + this.nodes.length,
        address: () => null,
        dials: { ...defaultDials, ...dials },
        fastTakeover,
        documentEngine,
        drainRequested: () => {},
      },
    );
    let running = Promise.withResolvers<void>();
    const node: ClusterNode = {
      nodeId,
      runtime,
      clock,
      bus,
      faults,
      events,
      counter: (name) => runtime.metrics().counters[name] ?? 0,
      kill: async () => {
        faults.kill();
        clock.kill();
        await plain.close();
      },
      pause: () => {
        running = Promise.withResolvers<void>();
        faults.holdAnswersFor(running.promise);
        clock.hold();
        bus.hold();
      },
      resume: () => {
        running.resolve();
        clock.release();
        bus.release();
      },
    };
    this.nodes.push(node);
    return node;
  }

  async visitor(mayFence = true): Promise<Visitor> {
    const { clock, random, engine } = this;
    const world = { engine, clock, random, logger: { event() {} } };
    const visitor = await this.run(openVisitor(world, { mayFence }));
    this.#visitors.push(visitor);
    return visitor;
  }

  advance(byMs: number): Promise<void> {
    return this.clock.advance(byMs);
  }

  /** Lets what is ready happen; no time passes. */
  settle(): Promise<void> {
    return settle();
  }

  /** Lets time pass until the promise has settled, and no longer; its outcome is the answer. */
  async run<T>(promise: Promise<T>, limitMs = 120_000): Promise<T> {
    let settled = false;
    const note = () => {
      settled = true;
    };
    promise.then(note, note);
    await this.#pass(() => settled, limitMs);
    if (settled) return promise;
    throw new Error(`nothing came of it within ${limitMs} ms of virtual time`);
  }

  /** The error a promise fails with, and how long that took. */
  async failure(promise: Promise<unknown>, limitMs?: number): Promise<FailureSeen> {
    const startedMs = this.clock.monotonicMs();
    const error = await this.run(
      promise.then(
        () => null,
        (thrown) => thrown,
      ),
      limitMs,
    );
    if (error === null) throw new Error('it should have failed, and did not');
    return {
      error,
      code: error.code,
      certainty: error.certainty,
      tookMs: this.clock.monotonicMs() - startedMs,
    };
  }

  /** Lets time pass until the condition holds. */
  async until(
    what: string,
    holds: () => boolean | Promise<boolean>,
    limitMs = 120_000,
  ): Promise<void> {
    if (await this.#pass(holds, limitMs)) return;
    throw new Error(`waited ${limitMs} ms of virtual time in vain for ${what}`);
  }

  async #pass(holds: () => boolean | Promise<boolean>, limitMs: number): Promise<boolean> {
    await settle();
    for (let passedMs = 0; passedMs <= limitMs; ) {
      if (await holds()) return true;
      // Fine steps at first, so that "at once" can be told from "soon".
      const stepMs = passedMs < 500 ? 1 : 20;
      await this.clock.advance(stepMs);
      passedMs += stepMs;
    }
    return false;
  }
}

export interface FailureSeen {
  readonly error: Error & { readonly facts?: Record<string, unknown> };
  readonly code: string;
  readonly certainty: string;
  readonly tookMs: number;
}
