import type { ActiveWireFault } from './active-wire-fault.ts';
import type { RespScanner } from './resp-scanner.ts';

/** For as long as the fault is in effect, but not longer than until then. */
export interface Hold {
  readonly active: ActiveWireFault;
  readonly untilMs: number;
}

/** What becomes of a frame. Frames of one and the same treatment stay together. */
export interface Treatment {
  readonly isDropped: boolean;
  readonly holds: readonly Hold[];
}

export const passing: Treatment = { isDropped: false, holds: [] };
export const dropping: Treatment = { isDropped: true, holds: [] };

export interface FrameJudge {
  /**
   * Told of every frame once its head is known. Unless `isFree` a part of it has left already, and
   * it must pass.
   */
  judge(scanner: RespScanner, isFree: boolean): Treatment;
  /** A frame is over; what is to be inserted behind it. */
  ended(): Buffer | null;
  /** From here on there are no frames. */
  lost(): void;
}

export type Emit = (bytes: Buffer, treatment: Treatment) => void;

/**
 * Cuts a stream where the treatment changes, and nowhere else. With `holdsHeads` the first bytes
 * of a frame wait until it was judged, which takes a few words; all else is passed on at once.
 */
export class FrameCutter {
  readonly scanner: RespScanner;
  readonly #judge: FrameJudge;
  #treatment: Treatment = passing;
  #isJudged = false;
  /** A part of the frame was emitted before it was judged. */
  #hasBegun = false;
  readonly #carried: Buffer[] = [];

  constructor(scanner: RespScanner, judge: FrameJudge) {
    this.scanner = scanner;
    this.#judge = judge;
  }

  cut(chunk: Buffer, holdsHeads: boolean, emit: Emit): void {
    if (this.scanner.isLost) return emit(chunk, passing);
    let runAt = 0;
    let frameAt = 0;
    for (let at = 0; ; at = this.scanner.at) {
      const mark = this.scanner.next(chunk, at);
      if (mark === 'more' || mark === 'lost') {
        return this.#chunkEnded(chunk, runAt, frameAt, holdsHeads && mark === 'more', emit);
      }
      if (mark === 'head') {
        const next = this.#judge.judge(this.scanner, !this.#hasBegun);
        this.#isJudged = true;
        this.#release(next, emit);
        if (next !== this.#treatment && frameAt > runAt) {
          emit(chunk.subarray(runAt, frameAt), this.#treatment);
        }
        if (next !== this.#treatment) runAt = frameAt;
        this.#treatment = next;
      } else {
        frameAt = this.scanner.at;
        this.#isJudged = false;
        this.#hasBegun = false;
        const inserted = this.#judge.ended();
        if (inserted === null) continue;
        emit(chunk.subarray(runAt, frameAt), this.#treatment);
        emit(inserted, passing);
        runAt = frameAt;
      }
    }
  }

  #chunkEnded(chunk: Buffer, runAt: number, frameAt: number, holds: boolean, emit: Emit): void {
    const isLost = this.scanner.isLost;
    if (isLost) this.#judge.lost();
    const end = this.#isJudged && !isLost ? chunk.length : frameAt;
    if (end > runAt) emit(chunk.subarray(runAt, end), this.#treatment);
    if (end === chunk.length) return;
    const rest = chunk.subarray(end);
    if (holds && !this.#hasBegun) {
      this.#carried.push(rest);
      return;
    }
    this.#release(passing, emit);
    this.#hasBegun = true;
    emit(rest, passing);
  }

  #release(treatment: Treatment, emit: Emit): void {
    if (this.#carried.length > 0) emit(Buffer.concat(this.#carried.splice(0)), treatment);
  }
}
