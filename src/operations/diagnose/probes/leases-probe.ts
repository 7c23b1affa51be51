import { sleep } from '../../../ports/clock.ts';
import { groupLeases } from '../group-leases.ts';
import type { Probe } from '../probe.ts';

const settleMs = 5_000;

/** How many leases nobody alive has. */
export const leasesProbe: Probe = {
  name: 'leases',
  summary: 'count the leases that nobody alive has',
  description:
    'Counts leases of sessions that are dead or unknown, and stay so for five seconds: a takeover that is under way is no error.',
  ...{ unit: '', worse: 'more', warn: 1, critical: 100, impact: 'ro', unanswered: 'unknown' },
  async measure({ engine, clock, options }) {
    const settle = () => sleep(clock, settleMs, options.signal);
    const { rows, counted } = await groupLeases(await engine(), settle);
    const left = rows.filter(({ state, settled }) => state !== 'live' && settled);
    const value = left.reduce((sum, { leases }) => sum + leases, 0);
    return { value, detail: `${value} of ${counted} leases belong to nobody alive` };
  },
};
