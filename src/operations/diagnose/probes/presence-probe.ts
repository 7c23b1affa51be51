import { sleep } from '../../../ports/clock.ts';
import { namesOf } from '../cluster-facts.ts';
import { findPresenceTrouble, presenceSettleMs } from '../presence-trouble.ts';
import type { Probe } from '../probe.ts';

/** Whether all nodes see the same connections. */
export const presenceProbe: Probe = {
  name: 'presence',
  summary: 'count who is wrong about the connections there are',
  description:
    'Compares what is registered with what each node holds and sees of the others, and counts what differs and still does seven seconds later: what was on its way is no error.',
  ...{ unit: '', worse: 'more', warn: 1, critical: 10, impact: 'ro', unanswered: 'unknown' },
  async measure({ engine, visitor, clock, options }) {
    const settle = () => sleep(clock, presenceSettleMs, options.signal);
    const parts = { engine: await engine(), visitor: await visitor(), settle };
    const { rows, counted, truncated } = await findPresenceTrouble(parts, null, options);
    const hubs = `${counted}${truncated ? ' of more' : ''} ${counted === 1 ? 'hub' : 'hubs'}`;
    const told = rows.map(({ seenBy, kind, hub }) => `${seenBy}: ${kind} in ${hub}`);
    const detail = rows.length === 0 ? `all agree in ${hubs}` : namesOf([...new Set(told)]);
    return { value: rows.length, detail };
  },
};
