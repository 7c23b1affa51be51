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
  readonly #parts: SimLineParts;
  readonly #pending = new Set<(error: BackplaneError) => void>();

  constructor(parts: SimLineParts) {
    this.#parts = parts;
  }

  call<T>(step: () => T | Promise<T>, fate: CallFate = {}): Promise<T> {
    const { process, network, place } = this.#parts;
    if (!process.isRunning) return new Promise(() => {});
    const sentMs = process.monotonicMs();
    return new Promise<T>((resolve, reject) => {
      const fail = (error: BackplaneError) => {
        this.#pending.delete(fail);
        reject(error);
      };
      this.#pending.add(fail);
      const answer = (settle: () => void) => {
        const underWay = network.send({
          from: place,
          to: process.name,
          arrive: () => {
            process.deliver(() => {
              if (this.#isLate(sentMs)) return this.#expire(fail);
              this.#pending.delete(fail);
              settle();
            });
          },
        });
        if (!underWay) this.#expireLater(sentMs, fail);
      };
      const arrive = () => {
        if (!this.#parts.isUp()) return this.#expireLater(sentMs, fail);
        const { refusal, mask } = fate;
        if (refusal) return answer(() => reject(refusal));
        carryOut(step).then(
          (value) => answer(() => (mask ? reject(mask) : resolve(value))),
          (error) => answer(() => reject(error)),
        );
      };
      const { lateMs = 0, early } = fate;
      const overtakes = lateMs > 0;
      const parcel = { from: process.name, to: place, extraMs: lateMs, overtakes, arrive };
      const underWay = network.send(parcel);
      if (early) answer(() => reject(early));
      else if (!underWay || lateMs > this.#parts.deadlineMs) this.#expireLater(sentMs, fail);
    });
  }

  /** The connection broke: nothing that was asked over it is answered any more. */
  breakOff(): void {
    const { process, lost } = this.#parts;
    const pending = [...this.#pending];
    this.#pending.clear();
    process.deliver(() => {
      for (const fail of pending) fail(lost());
    });
  }

  #isLate(sentMs: number): boolean {
    const { process, deadlineMs } = this.#parts;
    return process.monotonicMs() - sentMs > deadlineMs;
  }

  #expireLater(sentMs: number, fail: (error: BackplaneError) => void): void {
    const { process, deadlineMs } = this.#parts;
    const leftMs = sentMs + deadlineMs - process.monotonicMs();
    process.after(Math.max(0, leftMs), () => this.#expire(fail));
  }

  #expire(fail: (error: BackplaneError) => void): void {
    if (!this.#pending.delete(fail)) return;
    fail(this.#parts.lost());
    this.#parts.expired?.();
  }
}

async function carryOut<T>(step: () => T | Promise<T>): Promise<T> {
  return step();
}
