import type { Clock } from '../ports/clock.ts';

/**
 * The clocks of wherever the client runs: a browser has no driver to bring one. The only timers
 * outside `drivers/system`; whoever wants time under control passes a `Clock` to `connect`.
 */
export const browserClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, Math.max(0, Math.ceil(delayMs)));
    return { cancel: () => clearTimeout(timer) };
  },
};
