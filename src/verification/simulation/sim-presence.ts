import { asBackplaneError } from '../../foundation/errors.ts';
import type { Random } from '../../ports/random.ts';
import type { ConnectionDoor, RegisteredConnection } from '../../runtime/presence/presence-door.ts';
import { SeededRandom } from '../seeded-random.ts';
import type { NodeLife, SimNode } from './sim-node.ts';
import type { SimWorld } from './sim-world.ts';

/** Not the hub of the peers, whose comings and goings are their own. */
const hubs = ['hall', 'side'];
const openEveryMs = 4_000;
const closeEveryMs = 9_000;
const changeEveryMs = 3_000;
/** Nodes that are asked about a hub go on to follow it. */
const lookEveryMs = 20_000;
const openMax = 24;
/** In some worlds nothing changes for long: whatever was lost last, nothing that follows tells of it. */
const fitMs = { period: 240_000, active: 70_000 };

interface Held {
  readonly life: NodeLife;
  readonly connection: RegisteredConnection;
  /** Groups it may be in. */
  readonly groups: string[];
}

/**
 * Applications with connections: some are opened and closed on every node, and any node changes the
 * groups of any of them. Half of the worlds have them.
 */
export class SimPresence {
  readonly #world: SimWorld;
  /** Its own, so that what else happens in a world does not depend on it. */
  readonly #random: Random;
  readonly #held = new Map<string, Held>();
  readonly isOn: boolean;
  readonly #phaseMs: number | null;
  #changes = 0;
  #stopped = false;

  constructor(world: SimWorld) {
    this.#world = world;
    this.#random = new SeededRandom(world.profile.seed ^ 0x9e5e);
    this.isOn = this.#random.fraction() < 0.5;
    const isFitful = this.#random.fraction() < 0.5;
    this.#phaseMs = isFitful ? this.#random.fraction() * fitMs.period : null;
  }

  start(): void {
    if (!this.isOn) return;
    this.#again(openEveryMs, () => this.#isActive() && this.#open());
    this.#again(closeEveryMs, () => this.#isActive() && this.#close());
    this.#again(changeEveryMs, () => this.#isActive() && this.#change());
    this.#again(lookEveryMs, () => this.#look());
  }

  stop(): void {
    this.#stopped = true;
  }

  /** What every node sees, for the laws. */
  tellViews(): void {
    if (!this.isOn) return;
    for (const node of this.#world.serving()) void this.#tellView(node);
  }

  /** What is registered in the broker when all is over; answers how much. */
  tellEnd(): number {
    const { history, broker } = this.#world;
    const { hubs: registered, names } = broker.memory.registrations;
    let count = 0;
    const tell = (key: string, session: string) => {
      count += 1;
      history.record({ ev: 'final.key', key, role: 'session', session, ttlMs: null });
    };
    for (const [hub, sessions] of registered) {
      for (const session of sessions.keys()) tell(`registrations:${hub}`, session);
    }
    for (const [name, { session }] of names) tell(`name:${name}`, session);
    return count;
  }

  #isActive(): boolean {
    if (this.#phaseMs === null) return true;
    return (this.#world.timeline.nowMs + this.#phaseMs) % fitMs.period < fitMs.active;
  }

  #open(): void {
    const node = this.#pick(this.#world.serving());
    const life = node?.serving;
    const hub = this.#pick(hubs) as string;
    if (!node || !life || this.#held.size >= openMax) return;
    const user = `u${Math.floor(this.#random.fraction() * 5)}`;
    const connection = life.runtime.presence.register({ hub, user }, silentDoor);
    this.#held.set(connection.id, { life, connection, groups: [] });
    const { history, coverage } = this.#world;
    history.record({ ev: 'presence.open', connection: connection.id, nodeId: node.machine });
    coverage.add('connectionsOpened');
  }

  #close(): void {
    const drawn = this.#pick([...this.#held]);
    if (!drawn) return;
    const [id, { life, connection }] = drawn;
    if (life.process.isOver || life.isLeaving) return void this.#held.delete(id);
    if (!life.process.isRunning) return;
    this.#held.delete(id);
    this.#world.history.record({ ev: 'presence.close', connection: id });
    void connection.close();
  }

  #change(): void {
    const life = this.#pick(this.#world.serving())?.serving;
    const drawn = this.#pick([...this.#held]);
    if (!life || !drawn) return;
    const [connection, { groups }] = drawn;
    this.#changes += 1;
    const id = `g${this.#changes}`;
    const left = this.#random.fraction() < 0.4 ? groups.shift() : undefined;
    const group = left ?? id;
    const change = left === undefined ? 'join' : 'leave';
    if (change === 'join') groups.push(group);
    const { history, coverage } = this.#world;
    history.record({ ev: 'presence.change', id, connection, group, change });
    const { presence } = life.runtime;
    const ended = (outcome: 'ok' | 'failed' | 'unknown') => {
      if (outcome === 'ok') coverage.add('groupsChanged');
      history.record({ ev: 'presence.changed', id, outcome });
    };
    presence[change](connection, group).then(
      () => ended('ok'),
      (thrown) => {
        const { certainty } = asBackplaneError(thrown);
        ended(certainty === 'definite' ? 'failed' : 'unknown');
      },
    );
  }

  #look(): void {
    const life = this.#pick(this.#world.serving())?.serving;
    const hub = this.#pick(hubs) as string;
    life?.runtime.presence.find({ hub }).catch(() => {});
  }

  async #tellView(node: SimNode): Promise<void> {
    const life = node.serving;
    if (!life) return;
    const connections: Record<string, readonly string[]> = {};
    try {
      for (const hub of hubs) {
        const found = await life.runtime.presence.find({ hub });
        for (const { id, groups } of found) connections[id] = groups;
      }
    } catch {
      return;
    }
    if (node.serving !== life) return;
    this.#world.history.record({ ev: 'presence.view', viewer: node.machine, connections });
  }

  #pick<T>(from: readonly T[]): T | undefined {
    return from[Math.floor(this.#random.fraction() * from.length)];
  }

  #again(meanMs: number, act: () => unknown): void {
    const { timeline } = this.#world;
    timeline.after(-Math.log(1 - this.#random.fraction()) * meanMs, () => {
      if (this.#stopped) return;
      act();
      this.#again(meanMs, act);
    });
  }
}

const silentDoor: ConnectionDoor = {
  message() {},
  invoke: async ({ payload }) => payload,
  kicked() {},
};
