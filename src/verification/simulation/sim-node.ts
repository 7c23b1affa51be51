import type { MemoryLogs } from '../../drivers/memory/memory-store.ts';
import { asBackplaneError } from '../../foundation/errors.ts';
import type { LogFacts, Logger, LogLevel } from '../../ports/logger.ts';
import type { Random } from '../../ports/random.ts';
import { NodeRuntime } from '../../runtime/node-runtime.ts';
import type { NodeDials } from '../../runtime/node-settings.ts';
import type { RelaySettings } from '../../runtime/relay/redirect-rules.ts';
import type { Coverage } from './coverage.ts';
import { FrontDoor } from './front-door.ts';
import { RequestDiary } from './request-diary.ts';
import type { SimBroker } from './sim-broker.ts';
import type { BusFaults } from './sim-bus.ts';
import { type CommandFaults, SimEngine } from './sim-engine.ts';
import type { SimHistory } from './sim-history.ts';
import type { SimNetwork } from './sim-network.ts';
import { type ClockDrift, SimProcess } from './sim-process.ts';
import { SimStore, type StoreFaults } from './sim-store.ts';
import type { Timeline } from './timeline.ts';

/** The faults that last, and that every part looks at whenever it does something. */
export interface RunningFaults {
  readonly bus: BusFaults;
  readonly commands: CommandFaults;
  readonly store: StoreFaults;
}

export interface SimNodeParts {
  /** The machine; `nodeId` is what its operator calls the node. */
  readonly machine: string;
  readonly nodeId: string;
  readonly timeline: Timeline;
  readonly network: SimNetwork;
  readonly broker: SimBroker;
  readonly logs: MemoryLogs;
  readonly history: SimHistory;
  readonly coverage: Coverage;
  readonly random: Random;
  readonly faults: RunningFaults;
  readonly drift: ClockDrift;
  readonly dials: NodeDials;
  readonly selfProbeMs: number;
  readonly fastTakeover: boolean;
  readonly documentEngine: 'json' | 'log';
  readonly storeAnnounces: boolean;
  readonly relay: RelaySettings;
  /** A life begins: time to register methods. */
  prepared(life: NodeLife): void;
  /** A line of the node's log. */
  logged(machine: string, level: LogLevel, name: string, facts: LogFacts): void;
}

/** One life of a node: a process with its connections. */
export interface NodeLife {
  readonly process: SimProcess;
  readonly engine: SimEngine;
  readonly runtime: NodeRuntime;
  readonly door: FrontDoor;
  readonly diary: RequestDiary;
  readonly number: number;
  /** It has started, and peers can connect. */
  isOpen: boolean;
  isLeaving: boolean;
}

const startAgainMs = 1_000;

/** A machine on which somebody sees to it that a node runs: what outlives it is in the store. */
export class SimNode {
  readonly machine: string;
  readonly #parts: SimNodeParts;
  #life: NodeLife | null = null;
  #lives = 0;
  /** Whoever runs it wants it to run. */
  #isWanted = false;

  constructor(parts: SimNodeParts) {
    this.#parts = parts;
    this.machine = parts.machine;
  }

  get life(): NodeLife | null {
    return this.#life;
  }

  /** The life, if it has started and nothing holds it up. */
  get serving(): NodeLife | null {
    const life = this.#life;
    return life?.isOpen && life.process.isRunning && !life.isLeaving ? life : null;
  }

  start(): void {
    if (this.#life) return;
    this.#isWanted = true;
    this.#parts.history.record({ ev: 'node.up', nodeId: this.machine });
    this.#begin();
  }

  /** `kill -9`. With `silently` the machine goes too: nobody is told that the connections ended. */
  kill(silently: boolean, halfOpenMs: number): void {
    const life = this.#life;
    if (!life) return;
    this.#life = null;
    this.#isWanted = false;
    this.#collect(life);
    life.process.end();
    this.#parts.history.record({ ev: 'node.down', nodeId: this.machine });
    if (silently) this.#parts.timeline.after(halfOpenMs, () => life.engine.end());
    else {
      life.engine.end();
      life.door.reset();
    }
  }

  /** Stops as an operator asks it to; resolves when it has, or was killed. */
  async leave(): Promise<void> {
    const life = this.#life;
    if (!life || life.isLeaving) return;
    life.isLeaving = true;
    this.#isWanted = false;
    this.#parts.history.record({ ev: 'node.down', nodeId: this.machine });
    if (life.isOpen) {
      await life.runtime.drain().catch(() => {});
      life.door.sendAway();
    }
    await life.runtime.stop('drain');
    if (this.#life !== life) return;
    this.#collect(life);
    life.process.end();
    life.engine.end();
    life.door.reset();
    this.#life = null;
  }

  /** What its runtime counted in all lives so far. */
  collect(): void {
    if (this.#life) this.#collect(this.#life);
  }

  #begin(): void {
    const { timeline, drift, machine, network, history, coverage, logs, random, faults } =
      this.#parts;
    const process = new SimProcess(machine, timeline, drift);
    const shared = { process, network, coverage, random };
    const engine = new SimEngine({
      ...shared,
      machine,
      broker: this.#parts.broker,
      busFaults: faults.bus,
      commandFaults: faults.commands,
    });
    const announce = (channel: string, payload: Uint8Array) => {
      engine.bus.publishAtBroker(channel, new Uint8Array(payload));
    };
    const store = new SimStore({
      ...shared,
      logs,
      history,
      faults: faults.store,
      identity: 'sim:store',
      announce: this.#parts.storeAnnounces ? announce : null,
    });
    this.#lives += 1;
    const logger = this.#logger(process);
    const runtime = new NodeRuntime(
      { engine: engine.open(), store, clock: process, random, logger },
      this.#settings(),
    );
    const diary = new RequestDiary({ history, coverage, process, timeline, life: this.#lives });
    const submitTimeoutMs = this.#parts.dials.requestTimeoutMs;
    const door = new FrontDoor({ node: runtime, clock: process, logger, diary, submitTimeoutMs });
    const number = this.#lives;
    const life: NodeLife = {
      ...{ process, engine, runtime, door, diary, number, isOpen: false, isLeaving: false },
    };
    this.#parts.prepared(life);
    this.#life = life;
    runtime.start().then(
      () => {
        life.isOpen = !life.isLeaving;
      },
      (error) => this.#failed(life, error),
    );
  }

  #settings() {
    const { nodeId, dials, selfProbeMs, fastTakeover, documentEngine, relay } = this.#parts;
    return {
      ...{ nodeId, version: '0.0.0-sim', pid: 1_000 + this.#lives, address: () => null, dials },
      ...{ selfProbeMs, fastTakeover, documentEngine, relay, drainRequested: () => {} },
    };
  }

  /** It could not start, and is started again, as `systemd` would. */
  #failed(life: NodeLife, error: unknown): void {
    const { code, message } = asBackplaneError(error);
    const level = code === 'INTERNAL' ? 'error' : 'info';
    this.#parts.logged(this.machine, level, 'sim.start-failed', { code, message });
    if (this.#life !== life) return;
    life.process.end();
    life.engine.end();
    this.#life = null;
    this.#parts.timeline.after(startAgainMs, () => {
      if (this.#isWanted && this.#life === null) this.#begin();
    });
  }

  #logger(process: SimProcess): Logger {
    const { logged, machine } = this.#parts;
    return {
      event: (level, name, facts = {}) => {
        if (!process.isOver) logged(machine, level, name, facts);
      },
    };
  }

  #collect({ runtime, diary }: NodeLife): void {
    diary.abandon();
    const { counters } = runtime.metrics();
    const { coverage } = this.#parts;
    coverage.add('gapsReplayed', counters.gaps_replayed_total ?? 0);
    coverage.add('duplicates', counters.ops_duplicate_total ?? 0);
  }
}
