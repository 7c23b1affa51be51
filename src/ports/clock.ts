/**
 * The only door to time.
 *
 * Laws, each a test in `test/conformance/clock.ts`:
 *  1. `monotonicMs` never goes back; it says how much time passed, on this machine only.
 *  2. `wallMs` can be shown to people, and can jump; comparing it with the monotonic clock is how
 *     a suspended machine is noticed.
 *  3. A timer fires once, not before its delay; a cancelled one never.
 */
export interface Clock {
  monotonicMs(): number;
  wallMs(): number;
  after(delayMs: number, run: () => void): Timer;
}

export interface Timer {
  cancel(): void;
}

/** Waits; ends early, without an error, when the signal is aborted. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const finish = () => {
      timer.cancel();
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const timer = clock.after(delayMs, finish);
    signal?.addEventListener('abort', finish, { once: true });
  });
}

/** Runs `step` again and again with a pause between the end of one and the start of the next. */
export function repeat(
  clock: Clock,
  pauseMs: () => number,
  step: () => Promise<void> | void,
): Timer {
  let cancelled = false;
  let timer: Timer;
  const arm = () => {
    timer = clock.after(pauseMs(), async () => {
      try {
        await step();
      } finally {
        if (!cancelled) arm();
      }
    });
  };
  arm();
  return {
    cancel() {
      cancelled = true;
      timer.cancel();
    },
  };
}
