import { BackplaneError, inDoubt } from '../foundation/errors.ts';
import { isWorthResending } from '../foundation/peer-protocol.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import { backoffMs } from './backoff.ts';
import { clientError } from './client-error.ts';
import type { Answer, Line } from './line.ts';
import { expectedCounter } from './read-server-message.ts';
import { toWire } from './wire-payload.ts';

export interface OutgoingParts {
  readonly doc: string;
  readonly line: Line;
  readonly clock: Clock;
  readonly random: Random;
  /** The ops from here on are sent as another peer. */
  peerChanged(before: string, after: string): void;
  /** The document lost ops it had acknowledged; nothing more can be sent. */
  lost(error: BackplaneError): void;
}

/** The answer to a sent op: where it stands, for ever. */
export interface OpAck {
  readonly opId: string;
  readonly seq: number;
  readonly epoch: number;
}

type Named = (opId: string) => void;

interface PendingOp {
  peer: string;
  counter: number;
  /** Grows when it is to be sent again; an answer to an earlier attempt may be out of date. */
  attempt: number;
  wasSent: boolean;
  /** An earlier attempt was not answered, and may still be under way somewhere. */
  inDoubt: boolean;
  readonly text: string;
  readonly bytes: number;
  readonly named: Named | undefined;
  readonly resolve: (ack: OpAck) => void;
  readonly reject: (error: BackplaneError) => void;
}

export const opsWaitingMax = 10_000;
const resendBackoff = { firstMs: 25, mostMs: 2_000 };
/** A fenced owner may be behind for a moment; a log that stays behind has lost something. */
const behindMax = 20;
const peerBytes = 12;

/**
 * The ops of one document on their way: sent in order without waiting for each other, and sent
 * again, with the same identity, until a node has answered each. Only a refusal for good ends an
 * op without an ack; the ops behind it then go on as a new peer, so that no copy of them that is
 * still under way somewhere can ever be applied as well.
 */
export class OutgoingOps {
  readonly #parts: OutgoingParts;
  readonly #queue: PendingOp[] = [];
  /** Where in the queue the ops begin that are not under way. */
  #next = 0;
  #peer: string;
  #counter = 0;
  #failures = 0;
  #behind = 0;
  #retry: Timer | null = null;
  #ended: BackplaneError | null = null;

  constructor(parts: OutgoingParts) {
    this.#parts = parts;
    this.#peer = parts.random.token(peerBytes);
  }

  get peer(): string {
    return this.#peer;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  async send(payload: unknown, named?: Named): Promise<OpAck> {
    if (this.#ended) throw this.#ended;
    if (this.#queue.length >= opsWaitingMax) {
      throw new BackplaneError('OVERLOADED', `${this.#queue.length} ops wait for their ack`);
    }
    const wire = toWire(payload);
    const { promise, resolve, reject } = Promise.withResolvers<OpAck>();
    this.#counter += 1;
    const identity = { peer: this.#peer, counter: this.#counter };
    const fresh = { attempt: 0, wasSent: false, inDoubt: false };
    const op = { ...identity, ...wire, ...fresh, named, resolve, reject };
    this.#queue.push(op);
    tellName(op);
    this.pump();
    return promise;
  }

  /** Sends what the line takes. Called when there is something new, or room for more. */
  pump(): void {
    if (this.#retry || this.#ended) return;
    for (let op = this.#queue[this.#next]; op; op = this.#queue[this.#next]) {
      // Ops of the next peer wait for those of the last one: they would overtake them.
      if (op.peer !== this.#queue[0]?.peer || !this.#send(op)) return;
      this.#next += 1;
    }
  }

  /** The connection is gone, and with it every answer to what was under way. */
  lineDown(): void {
    this.#retry?.cancel();
    this.#retry = null;
    this.#rewind(null);
  }

  end(error: BackplaneError): void {
    if (this.#ended) return;
    this.#ended = error;
    this.#retry?.cancel();
    for (const op of this.#queue.splice(0)) {
      const { code, message, facts, remedy } = error;
      const certainty = op.wasSent ? 'indefinite' : 'definite';
      op.reject(new BackplaneError(code, message, { facts, remedy, certainty, cause: error }));
    }
  }

  #send(op: PendingOp): boolean {
    const { doc, line } = this.#parts;
    const { attempt, peer, counter, text } = op;
    const head = `"type":"op","doc":${JSON.stringify(doc)},"peer":"${peer}","counter":${counter}`;
    const isSent = line.request({
      bytes: op.bytes,
      text: (ref) => `{${head},"ref":${ref},${text}}`,
      answered: (answer) => this.#answered(op, attempt, answer),
    });
    if (isSent) op.wasSent = true;
    return isSent;
  }

  #answered(op: PendingOp, attempt: number, answer: Answer | null): void {
    const index = this.#queue.indexOf(op);
    if (index < 0 || !answer || this.#ended) return;
    if (answer.type === 'ack') {
      const { opId, seq, epoch } = answer;
      if (opId !== `${op.peer}:${op.counter}`) return;
      this.#remove(index);
      this.#failures = 0;
      this.#behind = 0;
      op.resolve({ opId, seq, epoch });
      return this.pump();
    }
    if (answer.type !== 'refused' || op.attempt !== attempt) return;
    const error = clientError(answer);
    if (isWorthResending(answer)) this.#resend(op, error);
    else this.#giveUp(op, index, error);
  }

  #resend(refused: PendingOp, error: BackplaneError): void {
    const expected = expectedCounter(error);
    const [first] = this.#queue;
    if (expected !== null && first && expected < first.counter) {
      this.#behind += 1;
      if (this.#behind >= behindMax) {
        const why = `the log asks for op ${expected} again, which was acknowledged`;
        return this.#parts.lost(new BackplaneError('LOG_REWOUND', why, { cause: error }));
      }
    }
    this.#rewind(error.certainty === 'definite' ? refused : null);
    const { clock, random } = this.#parts;
    const pauseMs = backoffMs(resendBackoff, this.#failures, random);
    this.#failures += 1;
    this.#retry?.cancel();
    this.#retry = clock.after(pauseMs, () => {
      this.#retry = null;
      this.pump();
    });
  }

  /** Nothing is known of the ops under way but of the one that was answered. */
  #rewind(answered: PendingOp | null): void {
    for (const op of this.#queue.slice(0, this.#next)) {
      op.attempt += 1;
      if (op !== answered) op.inDoubt = true;
    }
    this.#next = 0;
  }

  #giveUp(op: PendingOp, index: number, error: BackplaneError): void {
    this.#remove(index);
    op.reject(op.inDoubt ? inDoubt(error) : error);
    const before = this.#peer;
    this.#peer = this.#parts.random.token(peerBytes);
    this.#counter = 0;
    for (const later of this.#queue.slice(index)) {
      this.#counter += 1;
      later.peer = this.#peer;
      later.counter = this.#counter;
      later.attempt += 1;
      later.inDoubt = false;
      tellName(later);
    }
    this.#next = Math.min(this.#next, index);
    this.#parts.peerChanged(before, this.#peer);
    this.pump();
  }

  #remove(index: number): void {
    this.#queue.splice(index, 1);
    if (index < this.#next) this.#next -= 1;
  }
}

/** A listener that throws must not leave the queue half renamed. */
function tellName({ named, peer, counter }: PendingOp): void {
  try {
    named?.(`${peer}:${counter}`);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
