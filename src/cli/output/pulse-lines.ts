import { formatDuration } from '../../foundation/duration.ts';
import { nodeStates } from '../../operations/inspect/list-nodes.ts';
import type { NodePulseReport, PulseReport } from '../../operations/watch/pulse-report.ts';
import { ago } from './relative-time.ts';
import { fieldLines, type Line, type Style } from './styled-text.ts';

/** One look at a cluster for people. */
export function pulseLines({ at, totals, nodes, documents, cost }: PulseReport): Line[] {
  const states = nodeStates
    .filter((state) => state === 'live' || totals.nodes[state] > 0)
    .map((state) => `${totals.nodes[state]} ${state}`);
  const head = fieldLines([
    ['at', at],
    ['nodes', states.join(', ')],
    ['documents', totals.documents],
    ['peers', totals.connections],
    ['ops/s', rate(totals.opsPerSecond)],
    ['requests/s', rate(totals.requestsPerSecond)],
    ['awareness/s', rate(totals.awarenessPerSecond)],
    ['presence/s', rate(totals.presencePerSecond)],
    ['p50, p99', `${duration(totals.p50Ms)}, ${duration(totals.p99Ms)}`],
    ['broker', duration(totals.brokerMs)],
    ['looking cost', `${cost.brokerCommands} broker commands`],
  ]);
  const rows = nodes.map((node) => nodeLine(node, nameWidth(nodes)));
  const busiest = (documents?.rows ?? []).map(
    ({ doc, nodeId, seq, opsPerSecond }) =>
      `  ${doc}  on ${nodeId}  seq ${seq}  ${rate(opsPerSecond)} ops/s`,
  );
  return [
    ...head,
    '',
    ...rows,
    ...(busiest.length > 0 ? ['', 'documents in use', ...busiest] : []),
  ];
}

function nameWidth(nodes: readonly NodePulseReport[]): number {
  return Math.max(...nodes.map(({ nodeId }) => nodeId.length), 4);
}

function nodeLine(node: NodePulseReport, width: number): Line {
  const mute = node.answered || node.state === 'dead' ? '' : ', does not answer';
  return [
    node.nodeId.padEnd(width),
    '  ',
    { text: `${node.state}${mute}`, style: styleOf(node) },
    `  ${node.documents} documents  ${node.connections} peers  ${rate(node.opsPerSecond)} ops/s`,
    `  p99 ${duration(node.p99Ms)}  last beat ${ago(node.lastBeatAgoMs)}`,
  ];
}

function styleOf({ state, answered }: NodePulseReport): Style {
  if (state === 'dead') return 'bad';
  return state === 'live' && answered ? 'good' : 'warning';
}

function rate(value: number | null): string {
  return value === null ? '-' : String(value);
}

function duration(valueMs: number | null): string {
  return valueMs === null ? '-' : formatDuration(valueMs);
}
