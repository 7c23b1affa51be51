import { MemoryCacheRecords } from '../../drivers/memory/memory-cache-records.ts';
import { MemoryClusterRecords } from '../../drivers/memory/memory-cluster-records.ts';
import { MemoryConnection } from '../../drivers/memory/memory-connection.ts';
import { MemoryInspector } from '../../drivers/memory/memory-inspector.ts';
import { MemoryLeases } from '../../drivers/memory/memory-leases.ts';
import { MemoryRegistry } from '../../drivers/memory/memory-registry.ts';
import { BackplaneError } from '../../foundation/errors.ts';
import { protocol } from '../../foundation/limits.ts';
import type { CacheRecords } from '../../ports/cache-records.ts';
import type { ClusterRecords } from '../../ports/cluster-record.ts';
import type { Engine } from '../../ports/engine.ts';
import type { Leases } from '../../ports/leases.ts';
import type { Random } from '../../ports/random.ts';
import type { Sessions } from '../../ports/sessions.ts';
import type { Coverage } from './coverage.ts';
import type { SimBroker } from './sim-broker.ts';
import { type BusFaults, SimBus } from './sim-bus.ts';
import { type CallFate, SimLine } from './sim-line.ts';
import type { SimNetwork } from './sim-network.ts';
import type { SimProcess } from './sim-process.ts';
import { simRegistry } from './sim-registry.ts';

/** What happens to commands on their way while the broker's line is at fault. */
export interface CommandFaults {
  /** The share of commands that lie around before they are carried out. */
  late: number;
  lateMsMax: number;
}

export interface SimEngineParts {
  readonly machine: string;
  readonly process: SimProcess;
  readonly network: SimNetwork;
  readonly broker: SimBroker;
  readonly random: Random;
  readonly coverage: Coverage;
  readonly busFaults: BusFaults;
  readonly commandFaults: CommandFaults;
}

const reconnectMs = 250;

/** The engine of one process: the memory driver's ports, at the other end of a network. */
export class SimEngine {
  readonly bus: SimBus;
  readonly #parts: SimEngineParts;
  readonly #line: SimLine;
  #isConnected = true;

  constructor(parts: SimEngineParts) {
    this.#parts = parts;
    const { process, network, broker } = parts;
    this.#line = new SimLine({
      process,
      network,
      place: 'broker',
      deadlineMs: protocol.renewalTimeoutMs,
      isUp: () => broker.isUp,
      lost: () => new BackplaneError('BACKPLANE_LOST', 'the broker did not answer in time'),
      // A connection that says nothing for a whole deadline is taken for half-open.
      expired: () => this.#breakOff(),
    });
    this.bus = new SimBus({
      ...parts,
      faults: parts.busFaults,
      call: (step) => this.#call(step),
      reaches: () => this.#reaches(),
    });
    broker.connect(this);
  }

  /** The ports, as a node is given them. */
  open(): Engine {
    const { memory } = this.#parts.broker;
    const connection = new MemoryConnection(memory);
    return {
      name: 'sim:',
      bus: this.bus,
      sessions: this.#sessions(),
      leases: this.#leases(new MemoryLeases(connection)),
      registry: simRegistry(new MemoryRegistry(connection), (step) => this.#call(step)),
      clusterRecords: this.#clusterRecords(new MemoryClusterRecords(connection)),
      cacheRecords: this.#cacheRecords(new MemoryCacheRecords(connection)),
      inspector: new MemoryInspector(connection, this.#parts.process),
      close: async () => this.end(),
    };
  }

  /** The broker ended, or closed every connection. */
  broken(): void {
    const { network, process } = this.#parts;
    this.bus.detach();
    // Word of it travels like everything else; through a cut it does not.
    network.send({
      from: 'broker',
      to: process.name,
      arrive: () => {
        this.bus.reconnect();
        this.#breakOff();
      },
    });
  }

  /** The process is gone, and with it its connections. */
  end(): void {
    this.#parts.broker.disconnect(this);
    this.bus.detach();
  }

  #reaches(): boolean {
    const { network, process, broker } = this.#parts;
    const { name } = process;
    return broker.isUp && !network.isCut(name, 'broker') && !network.isCut('broker', name);
  }

  #breakOff(): void {
    if (!this.#isConnected) return;
    this.#isConnected = false;
    this.#line.breakOff();
    this.#connectLater();
  }

  #connectLater(): void {
    this.#parts.process.after(reconnectMs, () => {
      if (this.#reaches()) this.#isConnected = true;
      else this.#connectLater();
    });
  }

  #call<T>(step: () => T | Promise<T>): Promise<T> {
    if (!this.#isConnected) {
      const message = 'there is no connection to the broker';
      return Promise.reject(new BackplaneError('BACKPLANE_UNREACHABLE', message));
    }
    return this.#line.call(step, this.#fate());
  }

  #fate(): CallFate {
    const { random, commandFaults, coverage } = this.#parts;
    if (commandFaults.late === 0 || random.fraction() >= commandFaults.late) return none;
    coverage.add('callsLate');
    return { lateMs: random.fraction() ** 2 * commandFaults.lateMsMax };
  }

  #sessions(): Sessions {
    const { broker, machine } = this.#parts;
    const { memory } = broker;
    return {
      open: (opening) =>
        this.#call(() => {
          memory.sessions.open(opening);
          broker.opened(opening.id, machine);
          return { boot: memory.sessions.boot };
        }),
      renew: (renewal) =>
        this.#call(() => {
          const answer = memory.sessions.renew(renewal);
          if (answer.status === 'renewed') broker.renewed(renewal.id, renewal.beat);
          return answer;
        }),
      fence: (id, beat, why) => this.#call(() => broker.fence(id, beat, why)),
      read: (id) => this.#call(() => memory.sessions.read(id)),
      list: () => this.#call(() => memory.sessions.list()),
      takeSweep: (lendMs) => this.#call(() => memory.sessions.takeSweep(lendMs)),
      finishSweep: (id) => this.#call(() => memory.sessions.finishSweep(id)),
    };
  }

  #leases(inner: Leases): Leases {
    const { broker } = this.#parts;
    const { memory } = broker;
    return {
      read: (doc) => this.#call(() => inner.read(doc)),
      claim: (doc, seen, session, naming) =>
        this.#call(async () => {
          const answer = await inner.claim(doc, seen, session, naming);
          if (answer.status === 'claimed') broker.claimed(doc, session, seen);
          return answer;
        }),
      confirm: (confirmation) =>
        this.#call(async () => {
          const { doc, session, epoch } = confirmation;
          const before = memory.directory.get(doc);
          const answer = await inner.confirm(confirmation);
          if (answer === 'confirmed') broker.granted(doc, session, epoch, before);
          return answer;
        }),
      release: (doc, session, epoch, successor, naming) =>
        this.#call(async () => {
          const released = await inner.release(doc, session, epoch, successor, naming);
          if (released) broker.released(doc, session, epoch);
          return released;
        }),
      sweep: (session, from) =>
        this.#call(async () => {
          const before = [...memory.directory.documentsOf(session)];
          const step = await inner.sweep(session, from);
          for (const doc of before) if (!memory.directory.get(doc)) broker.unregistered(doc);
          return step;
        }),
    };
  }

  #cacheRecords(inner: CacheRecords): CacheRecords {
    return {
      join: (...args) => this.#call(() => inner.join(...args)),
      evict: (eviction) => this.#call(() => inner.evict(eviction)),
      look: (regions) => this.#call(() => inner.look(regions)),
      read: (...args) => this.#call(() => inner.read(...args)),
      write: (write) => this.#call(() => inner.write(write)),
      regions: () => this.#call(() => inner.regions()),
    };
  }

  #clusterRecords(inner: ClusterRecords): ClusterRecords {
    return {
      agree: (proposal) => this.#call(() => inner.agree(proposal)),
      read: () => this.#call(() => inner.read()),
      replace: (seen, proposal) => this.#call(() => inner.replace(seen, proposal)),
    };
  }
}

const none: CallFate = {};
