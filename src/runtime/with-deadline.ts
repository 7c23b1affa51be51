import { BackplaneError } from '../foundation/errors.ts';
import type { Clock } from '../ports/clock.ts';

/**
 * A call to the broker or store that hangs on a half-open socket is a failed call. What it does
 * after the deadline is ignored, so it may have happened: BACKPLANE_LOST.
 */
export function withDeadline<T>(clock: Clock, timeoutMs: number, call: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(timeoutMs, () => {
      reject(
        new BackplaneError('BACKPLANE_LOST', `the backplane did not answer within ${timeoutMs} ms`),
      );
    });
    call.then(
      (value) => {
        timer.cancel();
        resolve(value);
      },
      (error) => {
        timer.cancel();
        reject(error);
      },
    );
  });
}
