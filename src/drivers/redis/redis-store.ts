import { invariant } from '../../foundation/assert.ts';
import { BackplaneError } from '../../foundation/errors.ts';
import { limits } from '../../foundation/limits.ts';
import type { InspectableStore } from '../../ports/engine.ts';
import type { DocumentPage } from '../../ports/inspector.ts';
import type { Logger } from '../../ports/logger.ts';
import type {
  Append,
  AppendAnswer,
  DocumentHead,
  Snapshot,
  StoredOp,
  StoreFenceAnswer,
} from '../../ports/store.ts';
import type { RedisKeys } from './keys.ts';
import type { RedisArgument, RedisConnection } from './redis-connection.ts';
import { RedisReply } from './redis-replies.ts';
import type { RedisScripts, ScriptName, ScriptRun } from './redis-scripts.ts';

export interface RedisStoreParts {
  readonly connection: RedisConnection;
  readonly scripts: RedisScripts;
  readonly keys: RedisKeys;
  readonly logger: Logger;
}

/** Reading stops after this much payload, so that no answer grows beyond one append and a half. */
const readBytesMax = limits.appendBytesMax;
const documentsPageMax = 1_000;

/**
 * Logs as streams whose ids are the seqs. One script fences, appends and announces: one round trip
 * an append. How durable that is, is what the operator configured for Redis.
 */
export class RedisStore implements InspectableStore {
  readonly volatile = false;
  readonly announces = true;
  readonly #parts: RedisStoreParts;
  readonly #underWay = new Set<Promise<unknown>>();
  #isClosed = false;

  constructor(parts: RedisStoreParts) {
    this.#parts = parts;
  }

  /** Whoever has this Redis under this prefix has these logs, also after it came back empty. */
  async identity(): Promise<string> {
    this.#requireOpen();
    return `redis:${this.#parts.keys.prefix}`;
  }

  async fence(doc: string, session: string, expectedEpoch: number): Promise<StoreFenceAnswer> {
    const { keys } = this.#parts;
    const connection = this.#connection;
    if (expectedEpoch === 0) {
      const args = [keys.documents, 0, doc];
      await connection.call({ verb: 'ZADD', args, keys: [keys.documents], writes: true });
    }
    const reply = corrupt(keys.head(doc));
    const answer = reply.list(
      await this.#change('fence-document', {
        keys: [keys.head(doc), keys.snapshot(doc)],
        args: [doc, session, expectedEpoch],
        binary: true,
        bulk: true,
      }),
    );
    const epoch = reply.count(answer[1]);
    if (reply.oneOf(answer[0], 'fenced', 'conflict') === 'conflict') {
      return { status: 'conflict', epoch };
    }
    const snapshot = this.#snapshot(doc, answer.slice(4));
    const [seq, chain] = [reply.count(answer[2]), reply.text(answer[3])];
    const snapshotSeq = snapshot?.seq ?? 0;
    return { status: 'fenced', head: { doc, epoch, session, seq, chain, snapshotSeq }, snapshot };
  }

  async append(append: Append): Promise<AppendAnswer> {
    invariant(append.ops.length > 0, 'an append has ops');
    const { keys, logger } = this.#parts;
    this.#requireOpen();
    const { doc, epoch, session, after, announcement } = append;
    const channel = announcement ? keys.channel(announcement.channel) : '';
    const reply = corrupt(keys.head(doc));
    const [status, first, second] = reply.list(
      await this.#change('append-ops', {
        keys: [keys.head(doc), keys.log(doc)],
        channels: announcement ? [channel] : [],
        args: [
          ...[epoch, session, after.seq, after.chain, channel],
          announcement ? copyOf(announcement.payload) : '',
          ...append.ops.flatMap((op, i) => opArguments(op, after.seq + 1 + i)),
        ],
        bulk: true,
      }),
    );
    switch (reply.oneOf(status, 'appended', 'fenced', 'conflict')) {
      case 'fenced':
        return { status: 'fenced', epoch: reply.count(first) };
      case 'conflict':
        return { status: 'conflict', end: { seq: reply.count(first), chain: reply.text(second) } };
      case 'appended':
        if (second !== '') logger.event('warn', 'store.not-announced', { doc, reason: second });
        return { status: 'appended' };
    }
  }

  async head(doc: string): Promise<DocumentHead | null> {
    const { keys } = this.#parts;
    const key = keys.head(doc);
    // In this order, so that an append in between makes the log longer than the snapshot.
    const [snapshotSeq, head] = await Promise.all([
      this.#fields(keys.snapshot(doc), ['seq']),
      this.#fields(key, ['doc', 'epoch', 'session', 'seq', 'chain']),
    ]);
    if (head.every((field) => field === null)) return null;
    const reply = corrupt(key);
    // A hash of a long name stands for one document only.
    if (reply.text(head[0]) !== doc) return reply.fail(`the document ${JSON.stringify(doc)}`);
    return {
      doc,
      epoch: reply.count(head[1]),
      session: reply.text(head[2]),
      seq: reply.count(head[3]),
      chain: reply.text(head[4]),
      snapshotSeq: snapshotSeq[0] === null ? 0 : corrupt(keys.snapshot(doc)).count(snapshotSeq[0]),
    };
  }

  async read(doc: string, afterSeq: number, limit: number): Promise<StoredOp[]> {
    const key = this.#parts.keys.log(doc);
    this.#requireOpen();
    const args = [afterSeq, Math.min(limit, limits.readOpsMax), readBytesMax];
    const entries = corrupt(key).list(
      await this.#parts.scripts.run('read-log', { keys: [key], args, binary: true, bulk: true }),
    );
    return entries.map((entry, i) => storedOp(key, entry, afterSeq + 1 + i));
  }

  async readSnapshot(doc: string): Promise<Snapshot | null> {
    const key = this.#parts.keys.snapshot(doc);
    const fields = await this.#fields(key, ['seq', 'chain', 'data'], { binary: true, bulk: true });
    return this.#snapshot(doc, fields);
  }

  async saveSnapshot(doc: string, epoch: number, snapshot: Snapshot): Promise<boolean> {
    const { keys } = this.#parts;
    this.#requireOpen();
    const kept = await this.#change('save-snapshot', {
      keys: [keys.head(doc), keys.snapshot(doc)],
      args: [epoch, snapshot.seq, snapshot.chain, copyOf(snapshot.data)],
      bulk: true,
    });
    return kept === 1;
  }

  async checkWritable(): Promise<void> {
    const { keys, scripts } = this.#parts;
    this.#requireOpen();
    const channel = keys.channel('probe');
    await scripts.run('check-writable', {
      keys: keys.probes,
      args: [channel],
      channels: [channel],
    });
  }

  async documents(from: string | null, limit: number): Promise<DocumentPage> {
    const key = this.#parts.keys.documents;
    const reply = corrupt(key);
    const count = Math.min(limit, documentsPageMax);
    const args = [key, from === null ? '-' : `(${from}`, '+', 'LIMIT', 0, count];
    const call = { verb: 'ZRANGEBYLEX', args, keys: [key], writes: false, bulk: true };
    const names = reply.list(await this.#connection.call(call)).map((name) => reply.text(name));
    const heads = await Promise.all(names.map((name) => this.head(name)));
    return {
      // A name is written before the first fence, which may not have come to pass.
      documents: heads.filter((head) => head !== null),
      next: names.length === count ? names.at(-1)! : null,
    };
  }

  /** Waits for the changes under way; the connection is the engine's. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#underWay);
  }

  async #change(name: ScriptName, run: ScriptRun): Promise<unknown> {
    const change = this.#parts.scripts.run(name, run);
    this.#underWay.add(change);
    try {
      return await change;
    } finally {
      this.#underWay.delete(change);
    }
  }

  #snapshot(doc: string, [seq, chain, data]: readonly unknown[]): Snapshot | null {
    if (seq === null) return null;
    const reply = corrupt(this.#parts.keys.snapshot(doc));
    return { seq: reply.count(seq), chain: reply.text(chain), data: reply.bytes(data) };
  }

  async #fields(
    key: string,
    names: readonly string[],
    how: { binary?: boolean; bulk?: boolean } = {},
  ): Promise<unknown[]> {
    const call = { verb: 'HMGET', args: [key, ...names], keys: [key], writes: false, ...how };
    return corrupt(key).list(await this.#connection.call(call));
  }

  get #connection(): RedisConnection {
    this.#requireOpen();
    return this.#parts.connection;
  }

  #requireOpen(): void {
    if (this.#isClosed)
      throw new BackplaneError('CLOSED', 'the store was used after it was closed');
  }
}

function corrupt(key: string): RedisReply {
  return new RedisReply(key, 'STORE_CORRUPT');
}

/** A copy: a script the server does not know is sent again, after the caller may have gone on. */
function copyOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes);
}

function opArguments(op: StoredOp, expectedSeq: number): RedisArgument[] {
  invariant(op.seq === expectedSeq, 'the ops of an append are consecutive');
  return [op.epoch, op.peer, op.counter, op.at, op.chain, copyOf(op.payload)];
}

const opFields = ['epoch', 'peer', 'counter', 'at', 'chain', 'payload'];

function storedOp(key: string, entry: unknown, expectedSeq: number): StoredOp {
  const reply = corrupt(`${key} at ${expectedSeq}`);
  const [id, fields] = reply.list(entry);
  if (reply.text(id) !== `${expectedSeq}-0`) return reply.fail('an entry for every seq');
  const values = reply.list(fields);
  const inOrder = opFields.every((name, i) => reply.text(values[2 * i]) === name);
  if (!inOrder || values.length !== 2 * opFields.length) return reply.fail('an op');
  return {
    seq: expectedSeq,
    epoch: reply.count(values[1]),
    peer: reply.text(values[3]),
    counter: reply.count(values[5]),
    at: reply.count(values[7]),
    chain: reply.text(values[9]),
    payload: reply.bytes(values[11]),
  };
}
