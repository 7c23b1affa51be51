import { nodeStates } from '../../operations/inspect/list-nodes.ts';
import type { PulseTotals } from '../../operations/watch/pulse-report.ts';
import { drawTable } from '../drawing/draw-table.ts';
import { clockText, countText, durationText, rateText } from '../drawing/figures.ts';
import { fitted, line, type Piece, piece, type ScreenLine } from '../drawing/screen-line.ts';
import { sparkline } from '../drawing/sparkline.ts';
import type { Picture } from '../state/picture.ts';
import { toneOfEvent } from './events-view.ts';
import { nodeColumns, toneOfState } from './nodes-view.ts';
import type { Column, PageDrawing, PageView } from './view.ts';

interface Metric {
  readonly label: string;
  readonly value: (totals: PulseTotals) => number | null;
  readonly text: (value: number | null) => string;
}

/** The first ones stay when there is little room. */
const metrics: readonly Metric[] = [
  { label: 'ops/s', value: ({ opsPerSecond }) => opsPerSecond, text: rateText },
  { label: 'p99', value: ({ p99Ms }) => p99Ms, text: durationText },
  { label: 'broker', value: ({ brokerMs }) => brokerMs, text: durationText },
  { label: 'requests/s', value: ({ requestsPerSecond }) => requestsPerSecond, text: rateText },
  { label: 'documents', value: ({ documents }) => documents, text: countText },
  { label: 'peers', value: ({ connections }) => connections, text: countText },
  { label: 'awareness/s', value: ({ awarenessPerSecond }) => awarenessPerSecond, text: rateText },
  { label: 'presence/s', value: ({ presencePerSecond }) => presencePerSecond, text: rateText },
  { label: 'p50', value: ({ p50Ms }) => p50Ms, text: durationText },
];

const labelWidth = 12;
const valueWidth = 9;

/** The pulse of the whole cluster on one screen. */
export const overviewView: PageView = {
  kind: 'page',
  name: 'overview',
  aliases: ['pulse', 'pulses', 'o', 'home'],
  title: 'Overview',
  lines: overviewLines,
};

function overviewLines(picture: Picture, drawing: PageDrawing): readonly ScreenLine[] {
  const { pulse } = picture;
  const { size, theme } = drawing;
  if (pulse === null) return [line(piece('looking at the cluster', 'dim'))];
  const metricsShown = metrics.slice(0, Math.max(2, Math.min(metrics.length, size.rows - 3)));
  const head = [
    nodesLine(pulse.totals),
    ...metricsShown.map((metric) => metricLine(metric, picture, drawing)),
  ];
  const room = size.rows - head.length;
  if (room < 4 || theme.spoken) return [...head, ...eventLines(picture, Math.max(0, room - 1))];
  const nodesRoom = Math.min(pulse.nodes.length + 1, Math.max(3, Math.floor((room - 2) * 0.6)));
  const table = drawTable({
    columns: nodeColumns as readonly Column<unknown>[],
    rows: pulse.nodes.slice(0, nodesRoom - 1),
    selected: null,
    sort: null,
    width: size.columns,
    theme,
    nowAt: pulse.at,
  });
  const more = pulse.nodes.length - (nodesRoom - 1);
  if (more > 0) table[table.length - 1] = line(piece(`  and ${more + 1} more: :nodes`, 'dim'));
  const eventsRoom = room - table.length - 2;
  return [...head, line(), ...table, line(), ...eventLines(picture, Math.max(0, eventsRoom))];
}

function nodesLine({ nodes }: PulseTotals): ScreenLine {
  const states = nodeStates.filter((state) => state === 'live' || nodes[state] > 0);
  const pieces: Piece[] = [piece('nodes'.padEnd(labelWidth), 'dim')];
  for (const state of states) {
    pieces.push(piece(`${nodes[state]} ${state}`, toneOfState(state)), piece('  '));
  }
  return { pieces };
}

function metricLine(
  { label, value, text }: Metric,
  { pulse, trend }: Picture,
  { size, theme }: PageDrawing,
): ScreenLine {
  const now = text(pulse && value(pulse.totals));
  const figure = fitted(now, valueWidth, theme, 'right');
  const start = [piece(label.padEnd(labelWidth), 'dim'), piece(figure, 'bold')];
  if (theme.spoken) return { pieces: start };
  const width = size.columns - labelWidth - valueWidth - 2;
  const values = trend.map(({ totals }) => value(totals));
  if (width < 4) return { pieces: start };
  // A curve with its greatest value, where there is room to say it.
  const top = Math.max(0, ...values.slice(-width).map((each) => each ?? 0));
  const scale = width >= 40 && top > 0 ? `  max ${text(top)}` : '';
  const curve = sparkline(values, width - (width >= 40 ? 16 : 0), theme);
  return { pieces: [...start, piece('  '), piece(curve, 'accent'), piece(scale, 'dim')] };
}

function eventLines({ events }: Picture, room: number): ScreenLine[] {
  if (room <= 0) return [];
  if (events.length === 0) return [line(piece('nothing has happened since you look', 'dim'))];
  return events
    .slice(-room)
    .reverse()
    .map(({ at, severity, text }) =>
      line(piece(`${clockText(at)}  `, 'dim'), piece(text, toneOfEvent(severity))),
    );
}
