import type { Clock, Timer } from '../../ports/clock.ts';

/** Node fires a timer of more than 2^31 - 1 ms at once. */
const timerMsMax = 2 ** 31 - 1;

/** The machine's own time. Timers are Node's, kept from firing early and from overflowing. */
export class SystemClock implements Clock {
  monotonicMs(): number {
    return performance.now();
  }

  wallMs(): number {
    return Date.now();
  }

  after(delayMs: number, run: () => void): Timer {
    const dueMs = performance.now() + delayMs;
    let timer: NodeJS.Timeout;
    const arm = (leftMs: number) => {
      timer = setTimeout(fire, Math.min(Math.max(0, Math.ceil(leftMs)), timerMsMax));
    };
    // Node counts in whole milliseconds of its own loop, so a timer can be up to one early.
    const fire = () => {
      const leftMs = dueMs - performance.now();
      if (leftMs > 0) arm(leftMs);
      else run();
    };
    arm(delayMs);
    return { cancel: () => clearTimeout(timer) };
  }
}
