import { BackplaneError } from '../../foundation/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import type { SessionRecord, Sessions } from '../../ports/sessions.ts';
import type { SessionWatch } from '../sessions/session-watch.ts';

const freshMs = 1_000;

/** The live sessions, as of at most a second ago, without those known to have died since. */
export class LiveNodes {
  readonly #sessions: Sessions;
  readonly #watch: SessionWatch;
  readonly #clock: Clock;
  readonly #random: Random;
  #listed: { atMs: number; records: Promise<SessionRecord[]> } | null = null;

  constructor(parts: {
    readonly sessions: Sessions;
    readonly watch: SessionWatch;
    readonly clock: Clock;
    readonly random: Random;
  }) {
    this.#sessions = parts.sessions;
    this.#watch = parts.watch;
    this.#clock = parts.clock;
    this.#random = parts.random;
  }

  async list(how: 'cached' | 'fresh' = 'cached'): Promise<SessionRecord[]> {
    const nowMs = this.#clock.monotonicMs();
    if (how === 'fresh' || !this.#listed || nowMs - this.#listed.atMs > freshMs) {
      const records = this.#sessions.list();
      records.catch(() => {
        this.#listed = null;
      });
      this.#listed = { atMs: nowMs, records };
    }
    const records = await this.#listed.records;
    return records.filter(({ state, id }) => state === 'live' && !this.#watch.isKnownDead(id));
  }

  /** One that takes work, by chance; throws NO_NODES. A draining one only when there is no other. */
  async pick(except: ReadonlySet<string>): Promise<SessionRecord> {
    const live = (await this.list()).filter(({ id }) => !except.has(id));
    const willing = live.filter(({ vitals }) => !vitals.draining);
    const from = willing.length > 0 ? willing : live;
    const chosen = from[Math.floor(this.#random.fraction() * from.length)];
    if (!chosen) {
      this.#listed = null;
      throw new BackplaneError('NO_NODES', 'the cluster has no live node that could do this');
    }
    return chosen;
  }
}
