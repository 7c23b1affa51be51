import type { Clock, Timer } from '../../ports/clock.ts';

/** The longest delay Node.js takes; beyond it a timer would fire at once. */
const delayMsMax = 2_147_483_647;

/** This machine's clocks. A long delay is waited for in several steps. */
export class SystemClock implements Clock {
  monotonicMs(): number {
    return performance.now();
  }

  wallMs(): number {
    return Date.now();
  }

  after(delayMs: number, run: () => void): Timer {
    const dueMs = this.monotonicMs() + delayMs;
    let timer: NodeJS.Timeout;
    const arm = () => {
      const leftMs = dueMs - this.monotonicMs();
      if (leftMs > delayMsMax) timer = setTimeout(arm, delayMsMax);
      // Node.js rounds a delay down and may fire a fraction early; the law says never before.
      else timer = setTimeout(run, Math.max(0, Math.ceil(leftMs)));
    };
    arm();
    return { cancel: () => clearTimeout(timer) };
  }
}
