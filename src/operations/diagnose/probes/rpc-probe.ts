import { namesOf } from '../cluster-facts.ts';
import type { Probe } from '../probe.ts';

/** How long the slowest node takes to answer. */
export const rpcProbe: Probe = {
  name: 'rpc',
  summary: 'measure how long the slowest node takes to answer',
  description:
    'Asks every node to answer a ping. Critical when one does not answer, and its name is told.',
  ...{ unit: 'ms', worse: 'more', warn: 100, critical: 1_000, impact: 'ro', unanswered: 'unknown' },
  async measure({ visitor, options }) {
    const { replies, silent } = await (await visitor()).request(
      { kind: 'all' },
      'ping',
      Buffer.from('null'),
      options,
    );
    const slowest = replies.toSorted((a, b) => b.latencyMs - a.latencyMs)[0];
    const detail =
      silent.length > 0
        ? `no answer from ${namesOf(silent)}`
        : `${replies.length} answered; the slowest was ${slowest?.nodeId ?? 'nobody'}`;
    return { value: slowest?.latencyMs ?? null, detail, failed: silent.length > 0 };
  },
};
