import { type Budgets, budgetDefaults, presenceMsOf } from './budgets.ts';
import type { Law } from './law.ts';
import { AckedIsKept } from './laws/acked-is-kept.ts';
import { AppliedOnce } from './laws/applied-once.ts';
import { AwarenessConverges } from './laws/awareness-converges.ts';
import { DeadAreGone } from './laws/dead-are-gone.ts';
import { DeliveriesArrive } from './laws/deliveries-arrive.ts';
import { EpochsGrow } from './laws/epochs-grow.ts';
import { GroupChangesKept } from './laws/group-changes-kept.ts';
import { LivingAreKept } from './laws/living-are-kept.ts';
import { LivingComeBack } from './laws/living-come-back.ts';
import { NoAnswerBelowEpoch } from './laws/no-answer-below-epoch.ts';
import { NoWriteBelowEpoch } from './laws/no-write-below-epoch.ts';
import { NothingLeftBehind } from './laws/nothing-left-behind.ts';
import { OneOrder } from './laws/one-order.ts';
import { OneOwnerPerEpoch } from './laws/one-owner-per-epoch.ts';
import { OpsEnd } from './laws/ops-end.ts';
import { PresenceConverges } from './laws/presence-converges.ts';
import { RecoveryInTime } from './laws/recovery-in-time.ts';
import { RelayFramesOnce } from './laws/relay-frames-once.ts';
import { RelayOneWay } from './laws/relay-one-way.ts';
import { RequestsEnd } from './laws/requests-end.ts';
import { SeqWithoutGap } from './laws/seq-without-gap.ts';
import { StaleCachesEnd } from './laws/stale-caches-end.ts';

/** Every law there is, fresh, in the order of reports. */
export function lawsOf(budgets: Budgets): Law[] {
  return [
    new AckedIsKept(),
    new AppliedOnce(),
    new SeqWithoutGap(),
    new OneOrder(),
    new EpochsGrow(),
    new NoWriteBelowEpoch(),
    new NoAnswerBelowEpoch(budgets.staleMs),
    new OneOwnerPerEpoch(),
    new OpsEnd(budgets.settleMs),
    new DeliveriesArrive(budgets.settleMs),
    new RequestsEnd(budgets.latenessMs),
    new AwarenessConverges(budgets.awarenessMs),
    new PresenceConverges(presenceMsOf(budgets)),
    new GroupChangesKept(presenceMsOf(budgets)),
    new RelayFramesOnce(budgets.settleMs),
    new RelayOneWay(),
    new DeadAreGone(budgets.cleanupMs),
    new LivingAreKept(),
    new LivingComeBack(budgets.returnMs),
    new StaleCachesEnd(budgets.cacheMs),
    new RecoveryInTime(budgets.recoveryMs),
    new NothingLeftBehind(budgets.cleanupMs),
  ];
}

/** What each law is called, and what it promises. */
export const lawPromises: readonly (readonly [string, string])[] = lawsOf(budgetDefaults).map(
  ({ name, promise }) => [name, promise],
);
