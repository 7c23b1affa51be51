import { asBackplaneError } from '../../foundation/errors.ts';
import type { Bus } from '../../ports/bus.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import { repeat } from '../../ports/clock.ts';
import type { Leases } from '../../ports/leases.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Random } from '../../ports/random.ts';
import type { Registry } from '../../ports/registry.ts';
import type { SessionRecord, Sessions } from '../../ports/sessions.ts';
import { inboxChannel } from '../channels.ts';
import type { Counters } from '../counters.ts';
import { withDeadline } from '../with-deadline.ts';
import type { SessionKeeper } from './session-keeper.ts';
import type { SessionWatch } from './session-watch.ts';

export interface SweeperParts {
  readonly bus: Bus;
  readonly sessions: Sessions;
  readonly leases: Leases;
  readonly registry: Registry;
  readonly keeper: SessionKeeper;
  readonly watch: SessionWatch;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly counters: Counters;
  readonly heartbeatMs: number;
  readonly nodeTimeoutMs: number;
}

/** Longer than a sweep takes; two at once would do no harm, a lender that died leaves it so long. */
const lendMs = 10_000;
/** How long a node that stops may take to finish a sweep; after that it stays lent for `lendMs`. */
const finishMs = 5_000;
/** In a cluster where more than this share is silent at once, it is the broker or we who are ill. */
const silentShareMax = 1 / 2;

/**
 * Gives up nodes that are silent beyond the node timeout, and clears what dead ones left. It
 * fences first and clears afterwards, so it never clears a living node's leavings. Once is enough:
 * the broker takes nothing down for a session that is dead.
 */
export class Sweeper {
  readonly #parts: SweeperParts;
  #timer: Timer | null = null;
  #sweeping: Promise<void> = Promise.resolve();
  /** No further sweep is begun. */
  #stopping = false;
  #stopped = false;

  constructor(parts: SweeperParts) {
    this.#parts = parts;
  }

  start(): void {
    const { clock, random, heartbeatMs } = this.#parts;
    // Jitter, so that the nodes of a cluster do not all sweep at one instant.
    const pauseMs = () => heartbeatMs * (0.75 + 0.5 * random.fraction());
    this.#timer = repeat(clock, pauseMs, () => {
      this.#sweeping = this.#sweepSafely();
      return this.#sweeping;
    });
  }

  /** Finishes the sweep under way: nobody else takes it up before its loan has expired. */
  async stop(how: 'leave' | 'crash'): Promise<void> {
    this.#stopping = true;
    this.#timer?.cancel();
    if (how === 'leave') {
      const inTime = withDeadline(this.#parts.clock, finishMs, this.#sweeping);
      await inTime.catch((error) => this.#failed(error));
    }
    this.#stopped = true;
  }

  async #sweepSafely(): Promise<void> {
    if (!this.#parts.keeper.isValid() || !this.#parts.watch.isCalm()) return;
    try {
      const records = await this.#parts.sessions.list();
      // Whoever buried them, this node is to forget what it keeps of theirs.
      for (const { id, state } of records) if (state === 'dead') this.#parts.watch.confirmDead(id);
      const live = records.filter(({ state }) => state === 'live');
      await this.#fenceRisen(live);
      await this.#fenceSilent(live);
      await this.#sweepDead();
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    const { code, message } = asBackplaneError(error);
    this.#parts.counters.add('sweep_failures_total');
    this.#parts.logger.event('warn', 'sweep.failed', { code, message });
  }

  /**
   * A broker that went back to an older state has sessions alive again that were given up since. A
   * death that one node knows of is stable for all of them: those who live open new sessions.
   */
  async #fenceRisen(live: readonly SessionRecord[]): Promise<void> {
    const { keeper, watch } = this.#parts;
    for (const session of live) {
      if (session.id === keeper.id() || !watch.isKnownDead(session.id)) continue;
      await this.#fence(session, 'it was dead before');
    }
  }

  async #fenceSilent(live: readonly SessionRecord[]): Promise<void> {
    const silent = await this.#silent(live);
    if (silent.length === 0 || !(await this.#parts.watch.canJudge())) return;
    for (const session of silent) await this.#fence(session, 'silent');
  }

  async #fence({ id, beat, description }: SessionRecord, why: string): Promise<void> {
    const { sessions, watch, logger, counters } = this.#parts;
    const answer = await sessions.fence(id, beat, 'fenced');
    if (answer === 'renewed') return;
    if (answer === 'fenced') {
      counters.add('sessions_fenced_total');
      const { nodeId } = description;
      logger.event('warn', 'session.fenced', { session: id, nodeId, why });
    }
    watch.confirmDead(id);
  }

  async #silent(live: readonly SessionRecord[]): Promise<readonly SessionRecord[]> {
    const { keeper, logger, nodeTimeoutMs } = this.#parts;
    const silent = live.filter(({ id, lastBeatAgoMs }) => {
      return lastBeatAgoMs > nodeTimeoutMs && id !== keeper.id();
    });
    if (silent.length <= 1 || silent.length <= live.length * silentShareMax) return silent;
    const absent = await this.#absent(silent);
    if (absent.length < silent.length) {
      logger.event('warn', 'sweep.withheld', {
        silent: silent.length - absent.length,
        live: live.length,
      });
    }
    return absent;
  }

  /** Those whose inbox nobody listens on: their process is gone, whatever ails the broker. */
  async #absent(sessions: readonly SessionRecord[]): Promise<SessionRecord[]> {
    const absent: SessionRecord[] = [];
    for (const session of sessions) {
      if ((await this.#parts.bus.receivers(inboxChannel(session.id))) === 0) absent.push(session);
    }
    return absent;
  }

  async #sweepDead(): Promise<void> {
    const { sessions, watch, logger, counters } = this.#parts;
    while (!this.#stopping) {
      const session = await sessions.takeSweep(lendMs);
      if (session === null || this.#stopped) return;
      watch.confirmDead(session);
      const removed = await this.#removeAll(session);
      if (removed === null) return;
      await sessions.finishSweep(session);
      counters.add('leases_swept_total', removed);
      logger.event('info', 'session.swept', { session, leases: removed });
    }
  }

  /** And all else it has registered. Answers how many leases there were; null when it was stopped in the middle. */
  async #removeAll(session: string): Promise<number | null> {
    let removed = 0;
    let from: string | null = null;
    do {
      const step = await this.#parts.leases.sweep(session, from);
      removed += step.removed;
      from = step.next;
      if (this.#stopped) return null;
    } while (from !== null);
    for (let done = false; !done; ) {
      done = (await this.#parts.registry.clear(session)).done;
      if (this.#stopped) return null;
    }
    return removed;
  }
}
