import { decodeName, encodeName, opIdOf } from '../../foundation/identifiers.ts';
import type { LeaseRecord } from '../../ports/leases.ts';
import type { TapEvent, Witness } from '../../ports/tap.ts';
import type { RedisKeys } from './keys.ts';
import { type MonitoredCommand, readMonitorLine } from './monitor-line.ts';
import { parseLease } from './redis-leases.ts';
import { RedisReply } from './redis-replies.ts';

export interface RedisTapReaderOptions {
  readonly keys: RedisKeys;
  readonly db: number;
  readonly watchesStore: boolean;
  readonly witness: Witness;
}

/** An append as it is written, step by step. */
interface AppendUnderWay {
  readonly head: string;
  readonly doc: string | null;
  readonly session: string;
  readonly epoch: number;
  seq: number;
  readonly opIds: string[];
}

/**
 * Makes out of commands what they mean: the steps of our scripts, each of which is told when its
 * last command was run. Who appends is told by the call of the script, before its commands.
 */
export class RedisTapReader {
  readonly #options: RedisTapReaderOptions;
  readonly #store: string;
  readonly #bucket: string;
  readonly #session: string;
  /** The arguments of the script that runs, behind its keys. */
  #call: { readonly key: string; readonly args: readonly string[] } | null = null;
  #append: AppendUnderWay | null = null;
  #described: { readonly id: string; readonly nodeId: string } | null = null;
  /** Names of which only the hash stands in a key. */
  readonly #hashed = new Map<string, string>();
  /** Whether a document has an owner, as far as it is known. */
  readonly #held = new Map<string, boolean>();
  readonly #open = new Set<string>();
  readonly #gone = new Set<string>();

  constructor(options: RedisTapReaderOptions) {
    this.#options = options;
    const { prefix } = options.keys;
    this.#store = `${prefix}doc:{`;
    this.#bucket = `${prefix}leases:{l`;
    this.#session = options.keys.session('');
  }

  /** Throws FRAME_INVALID when a step of a script does not hold what we write. */
  line(line: string): void {
    const command = readMonitorLine(line);
    if (command === null || command.db !== this.#options.db) return;
    if (command.inScript) return this.#step(command);
    this.#append = null;
    this.#described = null;
    const runs = command.verb === 'evalsha' || command.verb === 'eval';
    this.#call = runs ? callOf(command) : null;
  }

  /** Some was missed: who owns what is not known any more. */
  unseen(): void {
    this.#call = null;
    this.#append = null;
    this.#described = null;
    const leases = [...this.#held].flatMap(([doc, held]) => (held ? [doc] : []));
    this.#held.clear();
    this.#tell({ kind: 'unseen', where: 'directory', leases });
    if (this.#options.watchesStore) this.#tell({ kind: 'unseen', where: 'store' });
  }

  /** Those that were told, and not that they are gone. */
  openSessions(): string[] {
    return [...this.#open];
  }

  sessionOpened(session: string, nodeId: string): void {
    if (this.#open.has(session) || this.#gone.has(session)) return;
    this.#open.add(session);
    this.#tell({ kind: 'session.open', session, nodeId });
  }

  /** `seenBeat`: the one on which whoever ended it insisted. */
  sessionGone(session: string, seenBeat: number | null = null): void {
    if (this.#gone.has(session)) return;
    this.#open.delete(session);
    this.#gone.add(session);
    this.#tell({ kind: 'session.gone', session, ...(seenBeat !== null && { seenBeat }) });
  }

  #step(command: MonitoredCommand): void {
    switch (command.verb) {
      case 'hset':
        return this.#hset(command.arguments(9));
      case 'xadd':
        return this.#xadd(command.arguments(8));
      case 'hdel': {
        const [key = '', doc = ''] = command.arguments(2);
        if (key.startsWith(this.#bucket)) this.#leaseGone(doc, true);
        return;
      }
      case 'pexpire': {
        // The last step of an opening; a renewal has no description.
        const [key] = command.arguments(1);
        const described = this.#described;
        this.#described = null;
        if (described === null || key !== this.#options.keys.session(described.id)) return;
        return this.sessionOpened(described.id, described.nodeId);
      }
      case 'zrem': {
        const [key, id = ''] = command.arguments(2);
        if (key === this.#options.keys.expiries) this.#buried(id);
        return;
      }
      default:
        return;
    }
  }

  #hset(args: readonly string[]): void {
    const [key = '', field = '', value = ''] = args;
    if (key.startsWith(this.#store)) {
      if (!this.#options.watchesStore) return;
      if (field === 'doc') return this.#fenced(args);
      // Once before the ops, as it was, and once behind them.
      if (field === 'seq' && args[3] === 'chain') return this.#appended(key);
      if (field === 'seq') this.#append = this.#beginAppend(key);
    } else if (field === 'beat' && key.startsWith(this.#session)) {
      this.#renewed(key, value);
    } else if (key.startsWith(this.#bucket)) {
      this.#leased(field, parseLease(args[2], new RedisReply(key)));
    } else if (key === this.#options.keys.descriptions) {
      this.#described = { id: field, nodeId: new RedisReply(key).object(value).text('nodeId') };
    }
  }

  #renewed(key: string, beat: string): void {
    const session = decodeName(key.slice(this.#session.length));
    if (session === null) return;
    this.#tell({ kind: 'session.beat', session, beat: new RedisReply(key).count(beat) });
  }

  /** One that ran out is buried with a beat that no session has. */
  #buried(id: string): void {
    const { key, args } = this.#call ?? {};
    const isCalled = key === this.#options.keys.session(id) && args?.[0] === id;
    const seenBeat = isCalled ? Number(args[1]) : Number.NaN;
    this.sessionGone(id, Number.isSafeInteger(seenBeat) && seenBeat >= 0 ? seenBeat : null);
  }

  #fenced([key = '', , name, , epoch, , session]: readonly string[]): void {
    const reply = new RedisReply(key);
    const doc = reply.text(name);
    const encoded = encodeName(doc);
    if (encoded.startsWith('~')) this.#hashed.set(encoded, doc);
    const owner = { session: reply.text(session), epoch: reply.count(epoch) };
    this.#tell({ kind: 'store.fence', doc, ...owner });
  }

  #beginAppend(head: string): AppendUnderWay | null {
    if (this.#call?.key !== head) return null;
    const [epoch = '', session = ''] = this.#call.args;
    const encoded = head.slice(this.#store.length, head.lastIndexOf('}'));
    const doc = decodeName(encoded) ?? this.#hashed.get(encoded) ?? null;
    return { head, doc, session, epoch: Number(epoch), seq: 0, opIds: [] };
  }

  #xadd([, id = '', , , , peer, , counter]: readonly string[]): void {
    const append = this.#append;
    if (append === null) return;
    const reply = new RedisReply(append.head);
    if (append.opIds.length === 0) append.seq = reply.count(id.replace(/-0$/, ''));
    append.opIds.push(opIdOf(reply.text(peer), reply.count(counter)));
  }

  #appended(head: string): void {
    const append = this.#append;
    this.#append = null;
    if (append === null || append.head !== head || append.opIds.length === 0) return;
    const { doc, session, epoch, seq, opIds } = append;
    // Its name is a hash, and its fence was not seen: better nothing than something wrong.
    if (doc === null) return this.#tell({ kind: 'unseen', where: 'store' });
    this.#tell({ kind: 'store.append', doc, session, epoch, seq, opIds });
  }

  #leased(doc: string, { epoch, session, state }: LeaseRecord): void {
    if (state === 'held') {
      this.#held.set(doc, true);
      return this.#tell({ kind: 'lease.grant', doc, session, epoch });
    }
    // The first claim of a document keeps epoch 0, and takes it from nobody.
    this.#leaseGone(doc, state === 'handed' || epoch > 0);
  }

  #leaseGone(doc: string, mayBeHeld: boolean): void {
    const held = this.#held.get(doc) ?? mayBeHeld;
    this.#held.set(doc, false);
    if (held) this.#tell({ kind: 'lease.gone', doc });
  }

  #tell(event: TapEvent): void {
    this.#options.witness(event);
  }
}

/** `EVALSHA sha 2 key key argument …`; null when it has no key. */
function callOf(command: MonitoredCommand): { key: string; args: string[] } | null {
  const keys = Number(command.arguments(2)[1]);
  const [key, ...rest] = command.arguments(4 + Math.min(keys, keysMax)).slice(2);
  return keys >= 1 && key !== undefined ? { key, args: rest.slice(keys - 1) } : null;
}

/** More than any script of ours has: what a stranger's script is called with is none of our business. */
const keysMax = 8;
