import { asBackplaneError, BackplaneError } from '../../foundation/errors.ts';
import { type Clock, repeat, type Timer } from '../../ports/clock.ts';
import type { Sessions } from '../../ports/sessions.ts';

export interface OutageParts {
  readonly sessions: Sessions;
  readonly clock: Clock;
}

const lookMs = 2_000;

/**
 * Tells once when the backplane has been out of reach for longer than `outageMsMax`. A shorter
 * outage is ridden out: what happened meanwhile is in the log.
 */
export function watchOutage(
  { sessions, clock }: OutageParts,
  outageMsMax: number,
  tell: (error: BackplaneError) => void,
): Timer {
  let seenMs = clock.monotonicMs();
  const looking = repeat(
    clock,
    () => lookMs,
    async () => {
      try {
        await sessions.list();
        seenMs = clock.monotonicMs();
      } catch (thrown) {
        if (clock.monotonicMs() - seenMs < outageMsMax) return;
        looking.cancel();
        tell(outOfReach(asBackplaneError(thrown)));
      }
    },
  );
  return looking;
}

/** Whether the last look was refused or merely not answered makes no difference any more. */
function outOfReach(error: BackplaneError): BackplaneError {
  if (error.code !== 'BACKPLANE_LOST') return error;
  return new BackplaneError('BACKPLANE_UNREACHABLE', error.message, { cause: error });
}
