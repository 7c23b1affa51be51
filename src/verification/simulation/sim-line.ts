import type { BackplaneError } from '../../foundation/errors.ts';
import type { SimNetwork } from './sim-network.ts';
import type { SimProcess } from './sim-process.ts';

export interface SimLineParts {
  readonly process: SimProcess;
  readonly network: SimNetwork;
  /** Where calls go: `broker` or `store`. */
  readonly place: string;
  readonly deadlineMs: number;
  /** What is at the other end: down, it takes calls and answers none. */
  isUp(): boolean;
  /** Of a call that was sent and not answered in time. */
  lost(): BackplaneError;
  /** A call was not answered in time. */
  expired?(): void;
}

/** What becomes of one call, beside what the network does to it. */
export interface CallFate {
  /** It is not carried out, and this is the answer. */
  readonly refusal?: BackplaneError;
  /** It is carried out, and the answer is this error. */
  readonly mask?: BackplaneError;
  /** How much later it is carried out than sent. */
  readonly lateMs?: number;
  /** The error comes at once, and it is carried out later. */
  readonly early?: BackplaneError;
}

/**
 * Calls from one process to the broker or the store: carried out where they arrive, in one step,
 * and answered; each leg takes time, and can be cut. Every call ends by the driver's deadline.
 */
export class SimLine {
  readonly parts: SimLineParts;
  readonly pending = new Set<SimCall<never>>();

  constructor(parts: SimLineParts) {
    this.parts = parts;
  }

  call<T>(step: () => T | Promise<T>, fate: CallFate = {}): Promise<T> {
    if (!this.parts.process.isRunning) return new Promise(() => {});
    return new Promise<T>((resolve, reject) => {
      const call = new SimCall<T>({ line: this, step, fate, resolve, reject });
      this.pending.add(call as unknown as SimCall<never>);
      call.send();
    });
  }

  /** The connection broke: nothing that was asked over it is answered any more. */
  breakOff(): void {
    const { process, lost } = this.parts;
    const pending = [...this.pending];
    this.pending.clear();
    process.deliver(() => {
      for (const call of pending) call.fail(lost());
    });
  }
}

interface SimCallParts<T> {
  readonly line: SimLine;
  readonly step: () => T | Promise<T>;
  readonly fate: CallFate;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/** One call on its way there and back: many are made, so its legs share one object. */
class SimCall<T> {
  readonly #parts: SimCallParts<T>;
  readonly #sentMs: number;

  constructor(parts: SimCallParts<T>) {
    this.#parts = parts;
    this.#sentMs = parts.line.parts.process.monotonicMs();
  }

  send(): void {
    const { line, fate } = this.#parts;
    const { process, network, place, deadlineMs } = line.parts;
    const { lateMs = 0, early } = fate;
    const overtakes = lateMs > 0;
    const arrive = this.#arrive;
    const parcel = { from: process.name, to: place, extraMs: lateMs, overtakes, arrive };
    const underWay = network.send(parcel);
    if (early) this.#answer(() => this.#parts.reject(early));
    else if (!underWay || lateMs > deadlineMs) this.#expireLater();
  }

  fail(error: BackplaneError): void {
    this.#parts.line.pending.delete(this as unknown as SimCall<never>);
    this.#parts.reject(error);
  }

  readonly #arrive = (): void => {
    const { line, step, fate, resolve, reject } = this.#parts;
    if (!line.parts.isUp()) return this.#expireLater();
    const { refusal, mask } = fate;
    if (refusal) return this.#answer(() => reject(refusal));
    carryOut(step).then(
      (value) => this.#answer(() => (mask ? reject(mask) : resolve(value))),
      (error) => this.#answer(() => reject(error)),
    );
  };

  #answer(settle: () => void): void {
    const { process, network, place } = this.#parts.line.parts;
    const settleIfInTime = () => {
      if (this.#isLate()) return this.#expire();
      this.#parts.line.pending.delete(this as unknown as SimCall<never>);
      settle();
    };
    const arrive = () => process.deliver(settleIfInTime);
    const underWay = network.send({ from: place, to: process.name, arrive });
    if (!underWay) this.#expireLater();
  }

  #isLate(): boolean {
    const { process, deadlineMs } = this.#parts.line.parts;
    return process.monotonicMs() - this.#sentMs > deadlineMs;
  }

  #expireLater(): void {
    const { process, deadlineMs } = this.#parts.line.parts;
    const leftMs = this.#sentMs + deadlineMs - process.monotonicMs();
    process.after(Math.max(0, leftMs), () => this.#expire());
  }

  #expire(): void {
    const { pending, parts } = this.#parts.line;
    if (!pending.delete(this as unknown as SimCall<never>)) return;
    this.#parts.reject(parts.lost());
    parts.expired?.();
  }
}

async function carryOut<T>(step: () => T | Promise<T>): Promise<T> {
  return step();
}
