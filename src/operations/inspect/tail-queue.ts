import type { TailLine } from './tail-line.ts';

const linesMax = 8_192;
const bytesMax = 33_554_432;

interface Waiting {
  readonly bytes: number;
  readonly line: () => TailLine;
}

/**
 * Lines between the bus, which never waits, and a reader, who may be slow. Bounded: a writer asks
 * `isFull` first, and what it then does not push it has to fetch again.
 */
export class TailQueue {
  #waiting: Waiting[] = [];
  #taken = 0;
  #bytes = 0;
  #ended = false;
  #failure: Error | null = null;
  #wake: (() => void) | null = null;
  #waitingForRoom: (() => void)[] = [];

  isFull(): boolean {
    return this.#waiting.length - this.#taken >= linesMax || this.#bytes >= bytesMax;
  }

  /** The line is only made when it is taken. */
  push(bytes: number, line: () => TailLine): void {
    if (this.#ended) return;
    this.#waiting.push({ bytes, line });
    this.#bytes += bytes;
    this.#wake?.();
  }

  /** Nothing follows; a failure is thrown to the reader after what waits already. */
  end(failure: Error | null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    this.#wake?.();
    this.#giveRoom();
  }

  take(): TailLine | null {
    const next = this.#waiting[this.#taken];
    if (!next) {
      this.#waiting = [];
      this.#taken = 0;
      this.#giveRoom();
      return null;
    }
    this.#taken++;
    this.#bytes -= next.bytes;
    // A queue that is never quite empty must not keep what was taken.
    if (this.#taken >= linesMax) {
      this.#waiting.splice(0, this.#taken);
      this.#taken = 0;
    }
    return next.line();
  }

  /** Resolves when the reader has taken everything, or nothing is wanted any more: false. */
  async room(): Promise<boolean> {
    while (this.isFull() && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#waitingForRoom.push(resolve);
      });
    }
    return !this.#ended;
  }

  #giveRoom(): void {
    for (const resolve of this.#waitingForRoom.splice(0)) resolve();
  }

  /** Resolves when there is something to take: true; or when it has ended: false, or throws. */
  async ready(): Promise<boolean> {
    for (;;) {
      if (this.#taken < this.#waiting.length) return true;
      if (this.#failure) throw this.#failure;
      if (this.#ended) return false;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
  }
}
