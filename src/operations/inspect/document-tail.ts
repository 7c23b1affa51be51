import { asBackplaneError, isBackplaneError } from '../../foundation/errors.ts';
import { limits } from '../../foundation/limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { WireOp } from '../../runtime/controls.ts';
import type { FollowedOp, Follower, FollowFrom, Following } from '../../runtime/reports.ts';
import { askAnyNode, type ClusterDoor } from './ask-any-node.ts';
import { awarenessLine, droppedLine, leaseLine, opLine, type TailLine } from './tail-line.ts';
import type { TailQueue } from './tail-queue.ts';

export interface DocumentTailParts extends ClusterDoor {
  readonly clock: Clock;
}

/** How far a log reaches. */
export interface LogEndReport {
  readonly seq: number;
}

/**
 * One document's feed into a queue: first the log, page by page as the reader takes it, then what
 * comes live. When live ops find the queue full it stops listening, remembers where it stood, and
 * goes back to the log.
 */
export class DocumentTail {
  readonly #parts: DocumentTailParts;
  readonly #doc: string;
  readonly #queue: TailQueue;
  #following: Following | null = null;
  /** The seq queued last; null while "now" is not known. */
  #seq: number | null = null;
  #life = 0;

  constructor(parts: DocumentTailParts, doc: string, queue: TailQueue) {
    this.#parts = parts;
    this.#doc = doc;
    this.#queue = queue;
  }

  /** Does not wait: a long log is read while its first lines are already taken from the queue. */
  start(from: FollowFrom): void {
    this.#seq = from === 'now' ? null : from;
    void this.#open(++this.#life);
  }

  async stop(): Promise<void> {
    this.#life++;
    const following = this.#following;
    this.#following = null;
    await following?.close();
  }

  async #open(life: number): Promise<void> {
    try {
      if (this.#seq !== null) await this.#replay(life, this.#seq);
      if (life !== this.#life) return;
      const { visitor } = this.#parts;
      const following = await visitor.follow(this.#doc, this.#seq ?? 'now', this.#follower(life));
      if (life !== this.#life) return await following.close();
      this.#following = following;
      this.#seq ??= following.seq();
    } catch (thrown) {
      if (life === this.#life) this.#queue.end(asBackplaneError(thrown));
    }
  }

  async #replay(life: number, from: number): Promise<void> {
    let after = from;
    while ((await this.#queue.room()) && life === this.#life) {
      const page = await readLog(this.#parts, this.#doc, after, limits.readOpsMax);
      if (page === null || life !== this.#life) return;
      const { ops, end } = page;
      for (const op of ops) {
        const payload = Buffer.from(op.payload, 'base64');
        this.#push({ ...op, doc: this.#doc, nodeId: null, payload });
        after = op.seq;
      }
      if (ops.length === 0 || after >= end.seq) return;
    }
  }

  /** Tells nobody anything once a later life has begun: it would be out of order. */
  #follower(life: number): Follower {
    const current = () => life === this.#life;
    const { clock } = this.#parts;
    return {
      ops: (ops) => {
        if (current()) this.#takeOps(ops);
      },
      awareness: (changes) => {
        for (const change of changes) {
          const state = change.state && Uint8Array.from(change.state);
          const wallMs = clock.wallMs();
          if (current()) this.#takeLine(() => awarenessLine({ ...change, state }, wallMs));
        }
      },
      owner: (change) => {
        const wallMs = clock.wallMs();
        if (current()) this.#takeLine(() => leaseLine(change, wallMs));
      },
      failed: (error) => {
        if (current()) this.#queue.end(error);
      },
    };
  }

  #takeOps(ops: readonly FollowedOp[]): void {
    for (const op of ops) {
      if (this.#queue.isFull()) {
        this.#seq ??= op.seq - 1;
        this.#fallBehind();
        return;
      }
      // The bus lends its bytes for the call only.
      this.#push({ ...op, payload: Uint8Array.from(op.payload) });
    }
  }

  #push(op: FollowedOp): void {
    this.#queue.push(op.payload.byteLength, () => opLine(op));
    this.#seq = op.seq;
  }

  #takeLine(line: () => TailLine): void {
    if (this.#queue.isFull()) this.#fallBehind();
    else this.#queue.push(0, line);
  }

  #fallBehind(): void {
    this.stop().catch((thrown) => this.#queue.end(asBackplaneError(thrown)));
    const life = ++this.#life;
    const goOn = async () => {
      if (!(await this.#queue.room()) || life !== this.#life) return;
      const wallMs = this.#parts.clock.wallMs();
      this.#queue.push(0, () => droppedLine(this.#doc, wallMs));
      await this.#open(life);
    };
    void goOn();
  }
}

/** Where the log of a document ends, asked of any live node; null when nobody wrote it. */
export async function readLogEnd(parts: ClusterDoor, doc: string): Promise<LogEndReport | null> {
  // Past the last op there is nothing to send, only the end itself.
  return (await readLog(parts, doc, Number.MAX_SAFE_INTEGER - 1, 1))?.end ?? null;
}

interface LogPage {
  readonly ops: readonly WireOp[];
  readonly end: LogEndReport;
}

async function readLog(
  parts: ClusterDoor,
  doc: string,
  after: number,
  limit: number,
): Promise<LogPage | null> {
  try {
    return (await askAnyNode(parts, 'doc.read', { doc, after, limit })) as LogPage;
  } catch (error) {
    if (isBackplaneError(error, 'DOCUMENT_UNKNOWN')) return null;
    throw error;
  }
}
