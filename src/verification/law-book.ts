import type { Budgets } from './budgets.ts';
import type { Law } from './law.ts';
import { AckedIsKept } from './laws/acked-is-kept.ts';
import { AppliedOnce } from './laws/applied-once.ts';
import { OneOrder } from './laws/one-order.ts';
import { SeqWithoutGap } from './laws/seq-without-gap.ts';

/** Every law there is, fresh, in the order of reports. */
export function lawsOf(_budgets: Budgets): Law[] {
  return [new AckedIsKept(), new AppliedOnce(), new SeqWithoutGap(), new OneOrder()];
}
