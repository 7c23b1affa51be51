import { listCaches } from '../../inspect/list-caches.ts';
import { namesOf } from '../cluster-facts.ts';
import type { Probe } from '../probe.ts';

/** Whether every cache can prove that it missed no eviction. */
export const cacheProbe: Probe = {
  name: 'cache',
  summary: 'count the caches that cannot prove that they are current',
  description:
    'Asks every node for its cache regions, and counts those without recent proof that no eviction was missed. Critical when one of them goes on serving what it has, or a node does not answer.',
  ...{ unit: '', worse: 'more', warn: 1, critical: 3, impact: 'ro', unanswered: 'unknown' },
  async measure({ engine, visitor, options }) {
    const door = { sessions: (await engine()).sessions, visitor: await visitor() };
    const { rows, silent } = await listCaches(door, options);
    const cut = rows.filter(({ state }) => state === 'cut');
    const names = namesOf(
      cut.map(({ region, nodeId, whenCut }) => `${region} on ${nodeId} (${whenCut})`),
    );
    const told = [
      ...(cut.length > 0 ? [`not proved to be current: ${names}`] : []),
      ...(silent.length > 0 ? [`no answer from ${namesOf(silent)}`] : []),
    ];
    const isServing = cut.some(({ whenCut }) => whenCut === 'serve');
    return {
      value: cut.length,
      detail: told.join('; ') || `${rows.length} regions of nodes are current`,
      failed: isServing || silent.length > 0,
    };
  },
};
