import { formatDuration } from '../foundation/duration.ts';

/** How long what takes time may take. */
export interface Budgets {
  /** From a fault to the next acknowledgement. */
  readonly recoveryMs: number;
  /** From the death of a session until nobody sees its registrations: silence, fence and sweep. */
  readonly cleanupMs: number;
  /** From losing its session, or the end of a fault, until a living node has one again. */
  readonly returnMs: number;
  /** From the last change until every view shows it. */
  readonly awarenessMs: number;
  /** How much later than its deadline a request may be told so: timers and pauses of the caller. */
  readonly latenessMs: number;
  /** From an op, or the end of a fault, until its peer is answered and every subscriber has it. */
  readonly settleMs: number;
  /** For how long an owner may answer that does not know yet that it was replaced: a lease. */
  readonly staleMs: number;
  /** For how long a node may serve from its cache what was evicted. */
  readonly cacheMs: number;
}

export const budgetDefaults: Budgets = {
  recoveryMs: 30_000,
  cleanupMs: 22_000,
  returnMs: 30_000,
  awarenessMs: 3_000,
  latenessMs: 50,
  settleMs: 30_000,
  staleMs: 30_000,
  cacheMs: 11_000,
};

/** A node that heard nothing of the last change finds it out by comparing, every few seconds. */
const presenceMsMin = 6_000;

/** From the last change of a connection, or the end of a fault, until every node sees it so. */
export function presenceMsOf({ cleanupMs }: Budgets): number {
  return Math.max(cleanupMs, presenceMsMin);
}

/** `recovery` for `recoveryMs`: what a person calls them. */
export const budgetNames = Object.keys(budgetDefaults).map((key) => key.replace(/Ms$/, ''));

/** `recovery 30s, cleanup 22s …` */
export function budgetText(budgets: Budgets): string {
  return Object.entries(budgets)
    .map(([key, ms]) => `${key.replace(/Ms$/, '')} ${formatDuration(ms)}`)
    .join(', ');
}
