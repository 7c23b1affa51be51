import { limits } from '../foundation/limits.ts';
import type { Bus } from '../ports/bus.ts';
import { encodeFrame, type Frame } from './frames.ts';

/**
 * Sends frames; those of one tick for one channel travel in one publish. A lone frame is not
 * delayed by more than the tick it was made in.
 */
export class Outbox {
  readonly #bus: Bus;
  readonly #clusterTag: number;
  readonly #waiting = new Map<string, Batch>();
  #scheduled = false;

  constructor(bus: Bus, clusterTag: number) {
    this.#bus = bus;
    this.#clusterTag = clusterTag;
  }

  /** Resolves with how many subscribers got it: 0 means nobody is there. */
  send(channel: string, frame: Frame): Promise<number> {
    const bytes = encodeFrame(this.#clusterTag, frame);
    let batch = this.#waiting.get(channel);
    if (batch && batch.bytes + bytes.length > limits.batchBytesMax) {
      this.#flush(channel, batch);
      batch = undefined;
    }
    if (!batch) {
      batch = { frames: [], bytes: 0, ...Promise.withResolvers<number>() };
      this.#waiting.set(channel, batch);
    }
    batch.frames.push(bytes);
    batch.bytes += bytes.length;
    this.#schedule();
    return batch.promise;
  }

  /** The frame as bytes, for a store that publishes by itself. */
  encode(frame: Frame): Uint8Array {
    return encodeFrame(this.#clusterTag, frame);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    // Called from a promise, a tick comes after all promises that are ready: they join the batch.
    process.nextTick(() => {
      this.#scheduled = false;
      for (const [channel, batch] of [...this.#waiting]) this.#flush(channel, batch);
    });
  }

  #flush(channel: string, batch: Batch): void {
    this.#waiting.delete(channel);
    const [only] = batch.frames;
    const bytes = batch.frames.length === 1 && only ? only : Buffer.concat(batch.frames);
    this.#bus.publish(channel, bytes).then(batch.resolve, batch.reject);
  }
}

interface Batch {
  readonly frames: Uint8Array[];
  bytes: number;
  readonly promise: Promise<number>;
  readonly resolve: (receivers: number) => void;
  readonly reject: (error: unknown) => void;
}
