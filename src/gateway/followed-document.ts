import { asBackplaneError, BackplaneError, isBackplaneError } from '../foundation/errors.ts';
import type { BackplaneNode } from '../runtime/node.ts';
import type { AwarenessChange, FollowedOp, Follower, Following } from '../runtime/reports.ts';
import { encodeChange, encodeOp } from './encode-payload.ts';
import type { PeerOutlet } from './peer-outlet.ts';

export interface FollowedParts {
  readonly doc: string;
  readonly node: BackplaneNode;
  readonly outlet: PeerOutlet;
  readonly stateBytesMax: number;
  /** Changes of this connection's own peers are no news to it. */
  isOwnPeer(doc: string, peer: string): boolean;
  ended(document: FollowedDocument, error: BackplaneError): void;
}

/** Ops of one message: so that a long catch-up is not one message of megabytes. */
const messageCharactersMax = 262_144;

/**
 * One document as one peer follows it: `joined` first, then every op once and in order. While it
 * catches up with a long log it reads no faster than the peer does.
 */
export class FollowedDocument implements Follower {
  readonly doc: string;
  readonly #parts: FollowedParts;
  #following: Following | null = null;
  #isJoined = false;
  #isClosed = false;
  /** What was heard before `joined`; a later change of a peer replaces an earlier one. */
  readonly #early = new Map<string, AwarenessChange>();

  constructor(parts: FollowedParts) {
    this.#parts = parts;
    this.doc = parts.doc;
  }

  async start(since: number | null, wantsState: boolean): Promise<void> {
    try {
      const from = wantsState ? await this.#sendState() : (since ?? 'now');
      if (this.#isClosed) return;
      const following = await this.#parts.node.follow(this.doc, from, this);
      if (this.#isClosed) return void following.close();
      this.#following = following;
      this.#join(following.seq());
    } catch (thrown) {
      this.failed(asBackplaneError(thrown));
    }
  }

  ops(ops: readonly FollowedOp[]): Promise<void> | undefined {
    const [first] = ops;
    if (this.#isClosed || !first) return;
    this.#join(first.seq - 1);
    let flushed: Promise<void> | undefined;
    let texts: string[] = [];
    let characters = 0;
    // All of it is handed over before this returns: what comes next must not overtake it.
    const send = () => {
      flushed = this.#parts.outlet.sendAndFlush(this.#message('ops', texts.join(',')));
      texts = [];
      characters = 0;
    };
    for (const op of ops) {
      const text = encodeOp(op);
      if (characters > 0 && characters + text.length > messageCharactersMax) send();
      texts.push(text);
      characters += text.length;
    }
    send();
    return flushed;
  }

  awareness(changes: readonly AwarenessChange[]): void {
    if (this.#isClosed) return;
    const news = changes.filter(({ peer }) => !this.#parts.isOwnPeer(this.doc, peer));
    if (news.length === 0) return;
    if (this.#isJoined) {
      this.#parts.outlet.send(this.#message('changes', news.map(encodeChange).join(',')));
    } else for (const change of news) this.#early.set(change.peer, change);
  }

  failed(error: Error): void {
    if (this.#isClosed) return;
    this.close();
    this.#parts.ended(this, asBackplaneError(error));
  }

  close(): void {
    this.#isClosed = true;
    this.#following?.close().catch(() => {});
    this.#following = null;
  }

  /** Sends the state of now, and answers the seq it stands for. */
  async #sendState(): Promise<number> {
    const { node, outlet, stateBytesMax } = this.#parts;
    const found = await node.readState(this.doc).catch((error) => {
      if (isBackplaneError(error, 'DOCUMENT_UNKNOWN')) return { seq: 0, epoch: 0, state: null };
      throw error;
    });
    const { seq, epoch, state } = found;
    if (state !== null && Buffer.byteLength(state) > stateBytesMax) {
      const message = `the state of "${this.doc}" has more than ${stateBytesMax} bytes`;
      throw new BackplaneError('PAYLOAD_TOO_LARGE', message, {
        remedy: 'join with since: 0 and fold the ops',
      });
    }
    if (this.#isClosed) return seq;
    this.#isJoined = true;
    const head = `{"type":"joined","doc":${JSON.stringify(this.doc)}`;
    await outlet.sendAndFlush(`${head},"seq":${seq},"epoch":${epoch},"state":${state ?? 'null'}}`);
    return seq;
  }

  #join(seq: number): void {
    if (this.#isJoined) return;
    this.#isJoined = true;
    this.#parts.outlet.post({ type: 'joined', doc: this.doc, seq, epoch: null });
    const early = [...this.#early.values()];
    this.#early.clear();
    this.awareness(early);
  }

  #message(what: 'ops' | 'changes', items: string): string {
    const type = what === 'ops' ? 'ops' : 'awareness';
    return `{"type":"${type}","doc":${JSON.stringify(this.doc)},"${what}":[${items}]}`;
  }
}
