import { BackplaneError, isBackplaneError } from '../../foundation/errors.ts';
import { dials, limits, protocol } from '../../foundation/limits.ts';
import type { Random } from '../../ports/random.ts';
import type {
  DeathCause,
  FenceAnswer,
  RenewalAnswer,
  SessionDescription,
  SessionOpening,
  SessionRecord,
  SessionRenewal,
  Sessions,
  SessionVitals,
} from '../../ports/sessions.ts';
import type { RedisKeys } from './keys.ts';
import type { RedisConnection } from './redis-connection.ts';
import { RedisReply } from './redis-replies.ts';
import type { RedisScripts } from './redis-scripts.ts';

const readsAtOnceMax = 256;
const buriedAtOnceMax = 100;

const newVitals: SessionVitals = { documents: 0, connections: 0, draining: false, deaf: false };

/**
 * Sessions as expiring hashes. Redis's clock alone decides expiry; what is found expired, or is
 * fenced, gets a tombstone that outlives any opening or renewal still under way.
 */
export class RedisSessions implements Sessions {
  readonly #connection: RedisConnection;
  readonly #scripts: RedisScripts;
  readonly #keys: RedisKeys;
  readonly #random: Random;

  constructor(connection: RedisConnection, scripts: RedisScripts, keys: RedisKeys, random: Random) {
    this.#connection = connection;
    this.#scripts = scripts;
    this.#keys = keys;
    this.#random = random;
  }

  async open(opening: SessionOpening): Promise<{ boot: string }> {
    const { id, token, ttlMs, description } = opening;
    const keys = this.#keys;
    const reply = new RedisReply(keys.session(id));
    const [answer, boot] = reply.list(
      await this.#scripts.run('open-session', {
        keys: [
          ...[keys.session(id), keys.tombstone(id), keys.expiries, keys.graves],
          ...[keys.descriptions, keys.vitals, keys.boot],
        ],
        args: [
          ...[id, token, ttlMs, JSON.stringify(description), JSON.stringify(newVitals)],
          this.#random.token(16),
        ],
      }),
    );
    if (reply.oneOf(answer, 'opened', 'taken') === 'opened') return { boot: reply.text(boot) };
    throw new BackplaneError('SESSION_TAKEN', `the session id "${id}" was opened before`);
  }

  async renew(renewal: SessionRenewal): Promise<RenewalAnswer> {
    const { id, token, beat, ttlMs, vitals } = renewal;
    const keys = this.#keys;
    const reply = new RedisReply(keys.session(id));
    const [answer, previousBeat, boot] = reply.list(
      await this.#scripts.run('renew-session', {
        keys: [keys.session(id), keys.expiries, keys.vitals, keys.boot],
        args: [id, token, beat, ttlMs, JSON.stringify(vitals)],
      }),
    );
    const status = reply.oneOf(answer, 'renewed', 'stale', 'dead');
    if (status !== 'renewed') return { status };
    return { status, previousBeat: reply.count(previousBeat), boot: reply.text(boot) };
  }

  async fence(id: string, expectedBeat: number, why: DeathCause): Promise<FenceAnswer> {
    const keys = this.#keys;
    const answer = await this.#scripts.run('bury-session', {
      keys: [
        ...[keys.session(id), keys.tombstone(id), keys.expiries, keys.graves],
        ...[keys.vitals, keys.unswept],
      ],
      args: [id, expectedBeat, why, protocol.tombstoneTtls, dials.leaseTtlMs],
    });
    return new RedisReply(keys.session(id)).oneOf(answer, 'fenced', 'dead', 'renewed');
  }

  async read(id: string): Promise<SessionRecord | null> {
    const keys = this.#keys;
    const found = await this.#scripts.run('read-session', {
      keys: [
        ...[keys.session(id), keys.tombstone(id), keys.expiries],
        ...[keys.descriptions, keys.vitals],
      ],
      args: [id],
    });
    return found === null ? null : sessionRecord(id, new RedisReply(keys.session(id)), found);
  }

  async list(): Promise<SessionRecord[]> {
    const { expiries, graves } = this.#keys;
    const ids = await Promise.all([this.#members(expiries), this.#members(graves)]);
    const listed = [...new Set(ids.flat())].slice(0, limits.sessionsListedMax);
    const records: SessionRecord[] = [];
    for (let from = 0; from < listed.length; from += readsAtOnceMax) {
      const some = listed.slice(from, from + readsAtOnceMax);
      const read = await Promise.all(some.map((id) => this.#readable(id)));
      // A dead one whose tombstone has just expired is no longer to be named.
      records.push(...read.filter((record) => record !== null));
    }
    return records;
  }

  /** What somebody else has written over must not hide the others; fsck names it. */
  async #readable(id: string): Promise<SessionRecord | null> {
    try {
      return await this.read(id);
    } catch (error) {
      if (isBackplaneError(error, 'FRAME_INVALID')) return null;
      throw error;
    }
  }

  async takeSweep(lendMs: number): Promise<string | null> {
    const first = await this.#takeSweepOnce(lendMs);
    if (first.taken !== null || first.expired.length === 0) return first.taken;
    // Death is written down before anything is swept, so that it is stable.
    await Promise.all(first.expired.map((id) => this.fence(id, neverABeat, 'expired')));
    return (await this.#takeSweepOnce(lendMs)).taken;
  }

  async finishSweep(id: string): Promise<void> {
    const key = this.#keys.unswept;
    await this.#connection.call({ verb: 'ZREM', args: [key, id], keys: [key], writes: true });
  }

  async #takeSweepOnce(lendMs: number) {
    const keys = this.#keys;
    const reply = new RedisReply(keys.unswept);
    const [taken, expired] = reply.list(
      await this.#scripts.run('take-sweep', {
        keys: [keys.expiries, keys.graves, keys.descriptions, keys.vitals, keys.unswept],
        args: [lendMs, buriedAtOnceMax],
      }),
    );
    return {
      taken: taken === null ? null : reply.text(taken),
      expired: reply.list(expired).map((id) => reply.text(id)),
    };
  }

  async #members(key: string): Promise<string[]> {
    const reply = new RedisReply(key);
    const args = [key, 0, limits.sessionsListedMax - 1];
    const members = await this.#connection.call({
      verb: 'ZRANGE',
      args,
      keys: [key],
      writes: false,
    });
    return reply.list(members).map((member) => reply.text(member));
  }
}

/** The beat that no session has: with it, only what has expired is buried. */
const neverABeat = -1;

function sessionRecord(id: string, reply: RedisReply, found: unknown): SessionRecord {
  const [state, cause, lastBeatAgoMs, expiresInMs, described, beatAndVitals] = reply.list(found);
  const parts = /^(\d+) \d+ (.*)$/s.exec(reply.text(beatAndVitals));
  if (!parts) return reply.fail('a beat, a ttl and vitals');
  const vitals = reply.object(parts[2]);
  return {
    id,
    state: reply.oneOf(state, 'live', 'dead'),
    cause: cause === '' ? null : reply.oneOf(cause, 'expired', 'fenced', 'left'),
    beat: reply.count(parts[1]),
    lastBeatAgoMs: reply.durationMs(lastBeatAgoMs),
    expiresInMs: reply.durationMs(expiresInMs),
    description: sessionDescription(reply, described),
    vitals: {
      documents: vitals.count('documents'),
      connections: vitals.count('connections'),
      draining: vitals.flag('draining'),
      deaf: vitals.flag('deaf'),
    },
  };
}

function sessionDescription(reply: RedisReply, text: unknown): SessionDescription {
  const fields = reply.object(text);
  return {
    nodeId: fields.text('nodeId'),
    address: fields.textOrNull('address'),
    pid: fields.count('pid'),
    version: fields.text('version'),
    protocol: fields.count('protocol'),
    configHash: fields.text('configHash'),
    startedAt: fields.text('startedAt'),
  };
}
