import type { Socket } from 'node:net';
import type { Clock, Timer } from '../../../ports/clock.ts';
import type { Random } from '../../../ports/random.ts';
import { type ActiveWireFault, isKind } from './active-wire-fault.ts';
import type { Hold } from './frame-cutter.ts';
import type { ConnectionRole, Direction } from './wire-fault.ts';

export interface WireLaneParts {
  readonly direction: Direction;
  readonly source: Socket;
  readonly target: Socket;
  readonly faults: ReadonlySet<ActiveWireFault>;
  readonly role: () => ConnectionRole;
  /** The faults that the connection is stuck in. */
  readonly wedges: ReadonlySet<ActiveWireFault>;
  readonly clock: Clock;
  readonly random: Random;
  /** Something was lost on the way. */
  readonly onLoss: (active: ActiveWireFault) => void;
}

/** How the sending side ended: it said all it had to say, it is gone, or it broke off. */
type Ending = 'end' | 'close' | 'reset';

interface Parcel {
  bytes: Buffer;
  readonly ending: Ending | null;
  readonly holds: readonly Hold[];
}

/** So much waits here at most; then the sender has to wait, as behind a full window of TCP. */
const waitingBytesMax = 1_048_576;
const waitingParcelsMax = 4_096;
const noBytes = Buffer.alloc(0);

/**
 * One direction of one connection: everything in order, each part when the faults let it. It takes
 * from the source no faster than the target and the faults allow.
 */
export class WireLane {
  readonly #parts: WireLaneParts;
  readonly #queue: Parcel[] = [];
  #queuedBytes = 0;
  #isBlocked = false;
  #isAbandoned = false;
  #isPaused = false;
  #timer: Timer | null = null;

  constructor(parts: WireLaneParts) {
    this.#parts = parts;
    parts.target.on('drain', () => {
      this.#isBlocked = false;
      this.pump();
    });
  }

  push(bytes: Buffer, holds: readonly Hold[]): void {
    if (bytes.length > 0) this.#add({ bytes, ending: null, holds: this.#delayed(holds) });
  }

  /** The source is at its end, and so will be the target once all that was sent has arrived. */
  finish(ending: Ending): void {
    this.#add({ bytes: noBytes, ending, holds: this.#delayed([]) });
  }

  /** The target is gone: the rest has nowhere to go. */
  abandon(): void {
    this.#isAbandoned = true;
    this.pump();
  }

  stop(): void {
    this.#isAbandoned = true;
    this.#timer?.cancel();
    this.#queue.length = 0;
  }

  /** Sends what may be sent now; to be called whenever a fault came or went. */
  pump(): void {
    this.#timer?.cancel();
    this.#timer = null;
    while (this.#queue.length > 0 && this.#sendFirst());
    this.#slowSource();
  }

  #add(parcel: Parcel): void {
    this.#queue.push(parcel);
    this.#queuedBytes += parcel.bytes.length;
    const stalled = this.#stalledBy();
    if (stalled !== null) stalled.touched += 1;
    this.pump();
  }

  /** What latency adds to what a parcel has to wait for anyway. */
  #delayed(holds: readonly Hold[]): readonly Hold[] {
    const { faults, clock, random } = this.#parts;
    if (faults.size === 0) return holds;
    const all = [...holds];
    for (const active of faults) {
      if (!isKind(active, 'latency') || !this.#concerns(active)) continue;
      const { latencyMs, jitterMs } = active.fault;
      const delayMs = latencyMs + random.fraction() * jitterMs;
      all.push({ active, untilMs: clock.monotonicMs() + delayMs });
      active.touched += 1;
    }
    return all;
  }

  /** False when the first parcel has to wait, or a part of it. */
  #sendFirst(): boolean {
    const parcel = this.#queue[0] as Parcel;
    if (this.#isAbandoned || this.#isLost()) return this.#removeFirst();
    if (this.#isBlocked || this.#stalledBy() !== null) return false;
    const waitMs = this.#waitMs(parcel);
    if (waitMs > 0) {
      this.#timer = this.#parts.clock.after(waitMs, () => this.pump());
      return false;
    }
    if (parcel.ending !== null) {
      this.#endTarget(parcel.ending);
      return this.#removeFirst();
    }
    const portion = parcel.bytes.subarray(0, this.#portionBytes());
    this.#paid(portion.length);
    this.#isBlocked = !this.#parts.target.write(portion);
    if (portion.length === parcel.bytes.length) return this.#removeFirst();
    parcel.bytes = parcel.bytes.subarray(portion.length);
    this.#queuedBytes -= portion.length;
    return true;
  }

  #removeFirst(): true {
    this.#queuedBytes -= (this.#queue.shift() as Parcel).bytes.length;
    return true;
  }

  #isLost(): boolean {
    const { faults, wedges, onLoss } = this.#parts;
    for (const active of faults) {
      const isHalfOpen = active.fault.kind === 'half-open' && this.#concerns(active);
      if (!isHalfOpen && !wedges.has(active)) continue;
      active.touched += 1;
      onLoss(active);
      return true;
    }
    return false;
  }

  #stalledBy(): ActiveWireFault | null {
    for (const active of this.#parts.faults) {
      if (active.fault.kind === 'one-way' && this.#concerns(active)) return active;
    }
    return null;
  }

  #waitMs(parcel: Parcel): number {
    const nowMs = this.#parts.clock.monotonicMs();
    let waitMs = 0;
    for (const { active, untilMs } of parcel.holds) {
      if (active.isActive) waitMs = Math.max(waitMs, untilMs - nowMs);
    }
    for (const active of this.#parts.faults) {
      const rate = this.#concerns(active) ? active.rate(this.#parts.direction) : null;
      const queueMs = rate?.waitMs() ?? 0;
      if (queueMs > 0) active.touched += 1;
      waitMs = Math.max(waitMs, queueMs);
    }
    return waitMs;
  }

  #portionBytes(): number {
    let bytes = Number.POSITIVE_INFINITY;
    for (const active of this.#parts.faults) {
      const rate = this.#concerns(active) ? active.rate(this.#parts.direction) : null;
      if (rate !== null) bytes = Math.min(bytes, rate.portionBytes);
    }
    return bytes;
  }

  #paid(bytes: number): void {
    for (const active of this.#parts.faults) {
      if (this.#concerns(active)) active.rate(this.#parts.direction)?.sent(bytes);
    }
  }

  #concerns(active: ActiveWireFault): boolean {
    return active.concerns(this.#parts.role(), this.#parts.direction);
  }

  #endTarget(ending: Ending): void {
    const { target } = this.#parts;
    if (ending === 'end') target.end();
    else if (ending === 'close') target.destroySoon();
    else target.resetAndDestroy();
  }

  #slowSource(): void {
    const { source } = this.#parts;
    const parcels = this.#queue.length;
    const isFull =
      this.#isBlocked || this.#queuedBytes > waitingBytesMax || parcels > waitingParcelsMax;
    const isLow = this.#queuedBytes <= waitingBytesMax / 2 && parcels <= waitingParcelsMax / 2;
    if (isFull && !this.#isAbandoned && !this.#isPaused) {
      this.#isPaused = true;
      source.pause();
    } else if (this.#isPaused && (this.#isAbandoned || (!this.#isBlocked && isLow))) {
      this.#isPaused = false;
      source.resume();
    }
  }
}
