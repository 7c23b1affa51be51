import type { NodeSelfReport } from '../../../runtime/health/self-report.ts';
import type { Probe } from '../probe.ts';

/** Whether the nodes can write to their store. */
export const storeProbe: Probe = {
  name: 'store',
  summary: 'measure how long a write to the store would take',
  description:
    'Has every node try whether its store would take a write, as its health page does. Critical when one cannot.',
  ...{ unit: 'ms', worse: 'more', warn: 100, critical: 1_000, impact: 'ro', unanswered: 'unknown' },
  async measure({ engine, visitor, options }) {
    const live = (await (await engine()).sessions.list()).filter(({ state }) => state === 'live');
    const door = await visitor();
    const told = await Promise.all(
      live.map(
        async ({ id }) =>
          (await door.control(id, 'node.report', { probe: true }, options)) as NodeSelfReport,
      ),
    );
    const checks = told.flatMap(({ nodeId, readiness }) => {
      const found = readiness?.checks.find(({ name }) => name === 'store');
      return found ? [{ nodeId, ...found }] : [];
    });
    const failed = checks.filter(({ ok }) => !ok);
    const value = Math.max(...checks.map(({ tookMs }) => tookMs ?? 0));
    if (checks.length === 0) return { value: null, detail: 'no node is alive', failed: true };
    const detail =
      failed.length > 0
        ? failed.map((each) => `${each.nodeId}: ${each.detail}`).join('; ')
        : `${checks.length} nodes can write`;
    return { value, detail, failed: failed.length > 0 };
  },
};
