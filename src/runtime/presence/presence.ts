import { asBackplaneError, BackplaneError, inDoubt } from '../../foundation/errors.ts';
import { checkName } from '../../foundation/identifiers.ts';
import { presenceLimits, presenceTimes } from '../../foundation/limits.ts';
import type { Bus } from '../../ports/bus.ts';
import { type Clock, repeat, type Timer } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Random } from '../../ports/random.ts';
import type { Registry } from '../../ports/registry.ts';
import type { Counters } from '../counters.ts';
import type { Outbox } from '../outbox.ts';
import type { LiveNodes } from '../requests/live-nodes.ts';
import type { Requester } from '../requests/requester.ts';
import type { SessionKeeper } from '../sessions/session-keeper.ts';
import type { SessionWatch } from '../sessions/session-watch.ts';
import {
  type Connection,
  type ConnectionIdentity,
  checkConnectionId,
  checkGroups,
  checkUser,
} from './connection.ts';
import { type ConnectionChange, changeAtHolder } from './connection-change.ts';
import { type ConnectionSelector, checkSelector, nothingMatches } from './connection-selector.ts';
import { Deliveries, isAway } from './deliveries.ts';
import { DeliveryDesk } from './delivery-desk.ts';
import { groupsAmong, usersAmong } from './gatherings.ts';
import { HubFeeds } from './hub-feeds.ts';
import { OwnConnections } from './own-connections.ts';
import type {
  ConnectionDoor,
  FindOptions,
  GroupPresence,
  InvocationAnswer,
  PresenceDoor,
  RegisteredConnection,
  SendOptions,
  SendReport,
  UserPresence,
} from './presence-door.ts';

export interface PresenceParts {
  readonly nodeId: string;
  readonly clusterTag: number;
  readonly registry: Registry;
  readonly bus: Bus;
  readonly outbox: Outbox;
  readonly requester: Requester;
  readonly nodes: LiveNodes;
  readonly watch: SessionWatch;
  readonly keeper: SessionKeeper;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly counters: Counters;
  readonly requestTimeoutMs: number;
}

/** Of our own lives, those whose frames and records may still be around. */
const sessionsKnownMax = 64;

/** The presence of a node: the connections it holds, what it knows of the others', and how to reach all. */
export class Presence implements PresenceDoor {
  readonly own: OwnConnections;
  readonly feeds: HubFeeds;
  readonly desk: DeliveryDesk;
  readonly #parts: PresenceParts;
  readonly #deliveries: Deliveries;
  readonly #ownSessions = new Set<string>();
  #timer: Timer | null = null;

  constructor(parts: PresenceParts) {
    this.#parts = parts;
    const session = () => parts.keeper.id();
    this.own = new OwnConnections({ ...parts, session, refused: () => parts.keeper.doubt() });
    this.feeds = new HubFeeds({
      ...parts,
      isOwn: (one) => this.#ownSessions.has(one),
      isKnownDead: (one) => parts.watch.isKnownDead(one),
      live: async () => new Set((await parts.nodes.list('fresh')).map(({ id }) => id)),
    });
    this.desk = new DeliveryDesk({ ...parts, own: this.own });
    this.#deliveries = new Deliveries({
      ...parts,
      session,
      desk: this.desk,
      find: (selector, fresh) => this.find(selector, { fresh }),
    });
    parts.watch.onDeath((one) => this.feeds.drop(one));
  }

  start(): void {
    const pauseMs = () => presenceTimes.compareMs * (0.75 + 0.5 * this.#parts.random.fraction());
    this.#timer = repeat(this.#parts.clock, pauseMs, () => this.#compareSafely());
  }

  async stop(how: 'leave' | 'crash'): Promise<void> {
    this.#timer?.cancel();
    await this.own.stop(how);
    this.feeds.stop();
  }

  /** Our session is a new one. */
  opened(session: string): void {
    this.#ownSessions.add(session);
    const [oldest] = this.#ownSessions;
    if (this.#ownSessions.size > sessionsKnownMax && oldest) this.#ownSessions.delete(oldest);
    this.own.reopened(session);
  }

  /** The broker was away: what was heard of the others may have a gap, and so may what we told. */
  interrupted(): void {
    this.own.hurry();
    void this.#compareSafely();
  }

  /** The session it acts under, and the time: for whoever describes it. */
  standing(): { readonly session: string | null; readonly nowMs: number } {
    return { session: this.#parts.keeper.id(), nowMs: this.#parts.clock.monotonicMs() };
  }

  register(identity: ConnectionIdentity, door: ConnectionDoor): RegisteredConnection {
    const { id, hub } = this.own.add(identity, door);
    // Whoever has connections in a hub will be asked about it.
    if (!this.feeds.peek(hub)) this.feeds.follow(hub).catch((error) => this.#report(error));
    return {
      id,
      read: () => this.#ownConnection(id),
      join: (...groups) => this.own.change(id, { join: checkGroups(groups), leave: [] }),
      leave: (...groups) => this.own.change(id, { join: [], leave: checkGroups(groups) }),
      close: () => this.own.remove(id),
    };
  }

  async find(asked: ConnectionSelector, options: FindOptions = {}): Promise<Connection[]> {
    const selector = checkSelector(asked);
    const fresh = options.fresh ?? false;
    if (selector.id !== undefined) {
      const known = this.#known(selector.id);
      if (known && !fresh) return this.#isElsewhere(known, selector) ? [] : [known];
    }
    if (selector.hub !== undefined) return this.#findIn(selector.hub, selector, fresh);
    const found = await this.#findInAll(selector, fresh ? 0 : presenceTimes.compareMs, fresh);
    if (found.length > 0 || fresh) return found;
    // It may be in a hub that has just begun.
    return this.#findInAll(selector, presenceTimes.listAgainMs, false);
  }

  async users(selector: ConnectionSelector, options?: FindOptions): Promise<UserPresence[]> {
    return usersAmong(await this.find(selector, options));
  }

  async groups(selector: ConnectionSelector, options?: FindOptions): Promise<GroupPresence[]> {
    return groupsAmong(await this.find(selector, options));
  }

  async isOnline(
    user: string,
    options: FindOptions & { readonly hub?: string } = {},
  ): Promise<boolean> {
    const { hub, ...rest } = options;
    const selector = { user: checkUser(user), ...(hub !== undefined && { hub }) };
    return (await this.find(selector, rest)).length > 0;
  }

  join(id: string, ...groups: string[]): Promise<Connection> {
    return this.change({ id, join: checkGroups(groups), leave: [], kick: null });
  }

  leave(id: string, ...groups: string[]): Promise<Connection> {
    return this.change({ id, join: [], leave: checkGroups(groups), kick: null });
  }

  async kick(id: string, reason: string): Promise<void> {
    checkName('reason', reason, presenceLimits.reasonBytesMax);
    await this.change({ id, join: [], leave: [], kick: reason });
  }

  /** Wherever the connection is; where it was heard to be first, and where the broker says then. */
  async change(change: ConnectionChange): Promise<Connection> {
    const { id } = change;
    let mayHaveHappened = false;
    for (const fresh of [false, true]) {
      if (this.own.get(id)) return this.changeHere(change);
      const [found] = await this.find({ id: checkConnectionId(id) }, { fresh });
      if (!found || this.#ownSessions.has(found.session)) continue;
      try {
        return await changeAtHolder({ ...this.#parts, connection: found }, change);
      } catch (error) {
        if (asBackplaneError(error).certainty === 'indefinite') mayHaveHappened = true;
        if (fresh || !isAway(error)) {
          throw mayHaveHappened ? inDoubt(asBackplaneError(error)) : error;
        }
      }
    }
    const unknown = nothingMatches({ id });
    throw mayHaveHappened ? inDoubt(unknown) : unknown;
  }

  /** Of a connection that this node holds. */
  async changeHere(change: ConnectionChange): Promise<Connection> {
    const { id, kick } = change;
    if (kick === null) return this.own.change(id, change);
    const connection = this.#ownConnection(id);
    const door = this.own.door(id);
    const { logger } = this.#parts;
    logger.event('info', 'connection.kicked', { connection: id, user: connection.user, why: kick });
    const removed = this.own.remove(id);
    door?.kicked(kick);
    await removed;
    return connection;
  }

  send(target: ConnectionSelector, payload: Uint8Array, options: SendOptions = {}) {
    return this.#deliveries.send(
      checkSelector(target),
      payload,
      options,
    ) satisfies Promise<SendReport>;
  }

  invokeOne(
    target: ConnectionSelector,
    method: string,
    payload: Uint8Array,
    options: SendOptions = {},
  ): Promise<InvocationAnswer> {
    checkName('method', method, presenceLimits.methodBytesMax);
    return this.#deliveries.invokeOne(checkSelector(target), method, payload, options);
  }

  invokeAll(
    target: ConnectionSelector,
    method: string,
    payload: Uint8Array,
    options: SendOptions = {},
  ): Promise<InvocationAnswer[]> {
    checkName('method', method, presenceLimits.methodBytesMax);
    return this.#deliveries.invokeAll(checkSelector(target), method, payload, options);
  }

  #ownConnection(id: string): Connection {
    const connection = this.own.get(id);
    if (connection) return connection;
    throw new BackplaneError('CONNECTION_UNKNOWN', `no connection is called "${id}" here`);
  }

  #known(id: string): Connection | null {
    const own = this.own.get(id);
    if (own) return own;
    for (const hub of this.feeds.hubs()) {
      const found = this.feeds.peek(hub)?.replica.index.get(id);
      if (found) return found;
    }
    return null;
  }

  #isElsewhere(known: Connection, selector: ConnectionSelector): boolean {
    return selector.hub !== undefined && selector.hub !== known.hub;
  }

  async #findIn(hub: string, selector: ConnectionSelector, fresh: boolean): Promise<Connection[]> {
    const feed = await this.feeds.follow(hub);
    if (fresh) await feed.refresh();
    const own = this.own.index(hub)?.find(selector) ?? [];
    return own.concat(feed.replica.index.find(selector));
  }

  async #findInAll(
    selector: ConnectionSelector,
    listedMsMax: number,
    fresh: boolean,
  ): Promise<Connection[]> {
    const hubs = await this.#hubs(listedMsMax);
    const found = await Promise.all(hubs.map((hub) => this.#findIn(hub, selector, fresh)));
    return found.length === 1 ? (found[0] ?? []) : found.flat();
  }

  async #hubs(listedMsMax: number): Promise<readonly string[]> {
    const known = [...this.own.hubs(), ...this.feeds.hubs()];
    try {
      return [...new Set([...known, ...(await this.feeds.list(listedMsMax))])];
    } catch (error) {
      const { code } = asBackplaneError(error);
      if (listedMsMax === 0 || code === 'OVERLOADED' || known.length === 0) throw error;
      return [...new Set(known)];
    }
  }

  async #compareSafely(): Promise<void> {
    try {
      this.own.forgetEmptyHubs();
      const needed = new Set(this.own.hubs());
      // Also where nothing of ours is any more: the broker may have gone back to when it was there.
      const looked = [...needed, ...this.feeds.hubs()];
      const before = new Map(looked.map((hub) => [hub, this.own.confirmedVersion(hub)]));
      await this.feeds.compareAll(
        (hub) => needed.has(hub),
        (hub, versions) => this.#checkOwn(hub, versions, before.get(hub) ?? null),
      );
    } catch (error) {
      this.#report(error);
    }
  }

  /** The broker may have gone back to an older state, in which our session was alive, too. */
  #checkOwn(hub: string, versions: ReadonlyMap<string, number>, before: number | null): void {
    const session = this.#parts.keeper.id();
    if (session === null || before === null) return;
    const isSettled = before === this.own.confirmedVersion(hub);
    if (isSettled && (versions.get(session) ?? 0) !== before) this.own.rewrite(hub);
  }

  #report(error: unknown): void {
    const { code, message } = asBackplaneError(error);
    this.#parts.logger.event('debug', 'presence.compare-failed', { code, message });
  }
}
