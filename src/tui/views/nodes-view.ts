import type { NodeState } from '../../operations/inspect/list-nodes.ts';
import type { NodePulseReport } from '../../operations/watch/pulse-report.ts';
import { agoText, countText, durationText, rateText, sinceText } from '../drawing/figures.ts';
import type { Tone } from '../drawing/theme.ts';
import { nodeActions } from './node-actions.ts';
import { type Column, defineTable } from './view.ts';

export const nodeColumns: readonly Column<NodePulseReport>[] = [
  {
    key: 'node',
    header: 'NODE',
    text: ({ nodeId }) => nodeId,
    value: ({ nodeId }) => nodeId,
    widthMax: 40,
    yields: 0,
  },
  {
    key: 'state',
    header: 'STATE',
    text: nodeStateText,
    tone: ({ state, answered }) => (answered || state !== 'live' ? toneOfState(state) : 'warning'),
    value: ({ state }) => state,
    yields: 0,
  },
  number('documents', 'DOCS', 1, ({ documents }) => documents, countText),
  number('peers', 'PEERS', 2, ({ connections }) => connections, countText),
  number('ops', 'OPS/S', 1, ({ opsPerSecond }) => opsPerSecond, rateText),
  number('requests', 'REQS/S', 3, ({ requestsPerSecond }) => requestsPerSecond, rateText),
  number('p99', 'P99', 2, ({ p99Ms }) => p99Ms, durationText),
  number('awareness', 'AWARE/S', 5, ({ awarenessPerSecond }) => awarenessPerSecond, rateText),
  number('presence', 'PRES/S', 6, ({ presencePerSecond }) => presencePerSecond, rateText),
  number('followed', 'FOLLOWS', 6, ({ followed }) => followed, countText),
  number('pending', 'WAITING', 6, ({ pending }) => pending, countText),
  number('beat', 'BEAT', 2, ({ lastBeatAgoMs }) => lastBeatAgoMs, agoText),
  number('answer', 'ANSWERS', 5, ({ answerMs }) => answerMs, durationText),
  {
    key: 'up',
    header: 'UP',
    align: 'right',
    text: ({ startedAt }, nowAt) => sinceText(startedAt, nowAt),
    value: ({ startedAt }) => startedAt,
    yields: 4,
  },
  text('version', 'VERSION', 4, ({ version }) => version),
  text('address', 'ADDRESS', 3, ({ address }) => address ?? '-'),
  text('pid', 'PID', 7, ({ pid }) => String(pid)),
  text('config', 'CONFIG', 8, ({ configHash }) => configHash),
  text('session', 'SESSION', 9, ({ session }) => session),
];

/** Every node by name, and how it does. */
export const nodesView = defineTable<NodePulseReport>({
  name: 'nodes',
  aliases: ['node', 'no', 'n'],
  title: 'Nodes',
  columns: nodeColumns,
  rows: ({ pulse }) => pulse?.nodes ?? null,
  keyOf: ({ session }) => session,
  empty: 'no nodes',
  actions: (node) => nodeActions(node),
});

export function nodeStateText({ state, cause, duplicate, answered }: NodePulseReport): string {
  const why = cause === null ? state : `${state} (${cause})`;
  const mute = !answered && (state === 'live' || state === 'draining') ? `${why}, mute` : why;
  return duplicate ? `${mute}, name twice` : mute;
}

export function toneOfState(state: NodeState): Tone {
  switch (state) {
    case 'live':
      return 'good';
    case 'draining':
      return 'accent';
    case 'silent':
    case 'deaf':
      return 'warning';
    case 'dead':
      return 'bad';
  }
}

function number(
  key: string,
  header: string,
  yields: number,
  value: (node: NodePulseReport) => number | null,
  text: (value: number | null) => string,
): Column<NodePulseReport> {
  return { key, header, yields, align: 'right', value, text: (node) => text(value(node)) };
}

function text(
  key: string,
  header: string,
  yields: number,
  value: (node: NodePulseReport) => string,
): Column<NodePulseReport> {
  return { key, header, yields, value, text: value, widthMax: 48 };
}
