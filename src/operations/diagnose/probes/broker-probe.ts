import type { Probe } from '../probe.ts';

const pings = 5;

/** How far the broker is. */
export const brokerProbe: Probe = {
  name: 'broker',
  summary: 'measure a round trip to the broker',
  description: 'The median of five round trips to the broker. Critical when it does not answer.',
  ...{ unit: 'ms', worse: 'more', warn: 50, critical: 500, impact: 'ro', unanswered: 'critical' },
  async measure({ engine }) {
    const { inspector, name } = await engine();
    const took: number[] = [];
    for (let sent = 0; sent < pings; sent++) took.push(await inspector.ping());
    const value = took.sort((a, b) => a - b)[Math.floor(pings / 2)] ?? null;
    return { value, detail: name };
  },
};
