import { asBackplaneError } from '../../../foundation/errors.ts';
import { repeat, sleep, type Timer } from '../../../ports/clock.ts';
import type { Random } from '../../../ports/random.ts';
import type { EventOf } from '../../history-event.ts';
import { rotated } from './claim-documents.ts';
import { LoadConnection } from './load-connection.ts';
import { PresenceViews, type PresenceViewsParts } from './presence-views.ts';

export interface LoadPresenceParts extends Omit<PresenceViewsParts, 'hubs'> {
  /** The beginning of the names of its hubs. */
  readonly name: string;
  readonly urls: readonly string[];
  readonly token: string | null;
  readonly random: Random;
}

/** Each changes seldom: whatever was lost last, nothing that follows soon tells of it. */
const hubCount = 4;
const changeMs = 250;
const comeAndGoMs = 900;
const lookMs = 1_500;
/** What a node saw longer ago is too old to be judged by the time of the answer. */
const lookMsMax = 1_000;
const lastLookMsMax = 10_000;
const patienceMs = 4_000;
const underWayMax = 32;
/** Beyond these, it leaves the oldest for the next one. */
const groupsMax = 5;

/**
 * Connections through the gateways of all nodes, in a few hubs, each node with one in each. Some
 * come and go; two nodes at a time are asked to change the groups of one of them.
 */
export class LoadPresence {
  readonly #parts: LoadPresenceParts;
  readonly #views: PresenceViews;
  readonly #connections: LoadConnection[];
  readonly #timers: Timer[] = [];
  #changes = 0;
  #underWay = 0;
  #isLooking = false;

  constructor(parts: LoadPresenceParts) {
    this.#parts = parts;
    const hubs = Array.from({ length: hubCount }, (_, at) => hubOf(parts.name, at));
    this.#views = new PresenceViews({ ...parts, hubs });
    const all = parts.urls.length * hubCount;
    this.#connections = Array.from({ length: all }, (_, at) => this.#connect(at));
  }

  start(): void {
    const { clock } = this.#parts;
    const every = (ms: number, act: () => void) => repeat(clock, () => ms, act);
    this.#timers.push(every(changeMs, () => this.#changeFromTwo()));
    this.#timers.push(every(comeAndGoMs, () => this.#comeAndGo()));
    this.#timers.push(every(lookMs, () => void this.#look()));
    void this.#look();
  }

  /** Changes nothing any more, and waits for what is under way. Its connections stay. */
  async stop(): Promise<void> {
    for (const timer of this.#timers.splice(0)) timer.cancel();
    const { clock } = this.#parts;
    const untilMs = clock.monotonicMs() + 2 * patienceMs;
    while (this.#underWay > 0 && clock.monotonicMs() < untilMs) await sleep(clock, 20);
  }

  /** What everybody sees in the end; answers who could not be asked. */
  recordViews(): Promise<string[]> {
    return this.#views.record(lastLookMsMax);
  }

  /** Twice is once. */
  async close(): Promise<void> {
    for (const timer of this.#timers.splice(0)) timer.cancel();
    await Promise.all(this.#connections.map((connection) => connection.close()));
  }

  #connect(at: number): LoadConnection {
    const { name, urls, token, clock, recorder } = this.#parts;
    return new LoadConnection({
      identity: {
        hub: hubOf(name, at),
        user: `user-${at % 5}`,
        groups: ['everybody', at % 2 === 0 ? 'even' : 'odd'],
        attributes: { seat: String(at) },
      },
      urls: rotated(urls, Math.floor(at / hubCount)),
      ...{ token, clock, recorder },
      changeId: () => this.#changeId(),
    });
  }

  /** One goes, cleanly, and another comes at once. */
  #comeAndGo(): void {
    const at = this.#drawn(this.#connections.length);
    const connection = this.#connections[at];
    if (!connection?.id) return;
    void connection.close();
    this.#connections[at] = this.#connect(at);
  }

  #changeFromTwo(): void {
    const connection = this.#connections[this.#drawn(this.#connections.length)];
    const { sessions } = this.#views;
    if (!connection?.id || sessions.length === 0 || this.#underWay >= underWayMax) return;
    const first = this.#drawn(sessions.length);
    for (const session of new Set(rotated(sessions, first).slice(0, 2))) {
      void this.#change(session, connection.id, connection.groups);
    }
  }

  async #change(session: string, connection: string, groups: string[]): Promise<void> {
    const { recorder, visitor } = this.#parts;
    const id = this.#changeId();
    const left = groups.length >= groupsMax ? groups.shift() : undefined;
    if (left === undefined) groups.push(id);
    const group = left ?? id;
    const change = left === undefined ? 'join' : 'leave';
    recorder.record({ ev: 'presence.change', id, connection, group, change });
    const params = {
      id: connection,
      join: left === undefined ? [group] : [],
      leave: left === undefined ? [] : [group],
      kick: null,
    };
    let outcome: EventOf<'presence.changed'>['outcome'] = 'ok';
    this.#underWay += 1;
    try {
      await visitor.control(session, 'presence.change', params, { timeoutMs: patienceMs });
    } catch (error) {
      outcome = asBackplaneError(error).certainty === 'definite' ? 'failed' : 'unknown';
    } finally {
      this.#underWay -= 1;
    }
    recorder.record({ ev: 'presence.changed', id, outcome });
  }

  /** Whoever is asked about a hub goes on to follow it. A look that fails was not taken. */
  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    await this.#views.record(lookMsMax).catch(() => {});
    this.#isLooking = false;
  }

  #changeId(): string {
    this.#changes += 1;
    return `g${this.#changes}`;
  }

  #drawn(below: number): number {
    return Math.floor(this.#parts.random.fraction() * below);
  }
}

function hubOf(name: string, at: number): string {
  return `${name}-${(at % hubCount) + 1}`;
}
