import { formatDuration } from '../../../foundation/duration.ts';
import { counted } from '../../law.ts';
import type { DrillReport } from '../drill-report.ts';
import type { RunSeries } from '../figures/run-series.ts';
import { drawMarks, faultBands, faultLabels, violationMarks } from './fault-bands.ts';
import { latencyPanel, ratePanel } from './load-panels.ts';
import { html, type Markup } from './markup.ts';
import { documentLanes, documentsApart, nodeLanes } from './owner-panels.ts';
import type { Drawn } from './picture-frame.ts';
import { stackPanel } from './stack-panel.ts';
import { type AxisRange, TimeAxis } from './time-axis.ts';
import { faultWords } from './verdict-words.ts';

const width = 1_000;
const place = { left: 118, width: 866 };
const panelGap = 14;
const axisHeight = 42;

/** The part of a run that is worth a picture: its load and its faults, with a little around them. */
export function shownRange(
  { durationMs, load }: RunSeries,
  faults: DrillReport['faults'],
): AxisRange {
  if (load === null) return { fromMs: 0, toMs: Math.max(1, durationMs) };
  const ends = faults.map(({ startMs, endMs }) => endMs ?? startMs);
  const lastMs = Math.max(load.toMs ?? durationMs, ...ends);
  const marginMs = (lastMs - load.fromMs) * 0.04;
  const fromMs = load.fromMs - 3 * marginMs;
  return {
    fromMs: fromMs < 0 ? 0 : fromMs,
    toMs: Math.max(1, Math.min(durationMs, lastMs + marginMs)),
  };
}

/** A whole run as one picture: panels over one time axis, with faults as bands across all of them. */
export function timelinePicture(report: DrillReport, series: RunSeries): Markup {
  const { faults, laws, budgets } = report;
  const axis = new TimeAxis(place, shownRange(series, faults));
  const labels = faultLabels(axis, 10, faults);
  const top = 10 + labels.height + 12;
  const panels: ((at: number) => Drawn)[] = [
    (at) => ratePanel(axis, at, series),
    (at) => latencyPanel(axis, at, series, budgets),
    ...(series.documents > documentsApart ? [(at: number) => stackPanel(axis, at, series)] : []),
    ...(series.lanes.length > 0 ? [(at: number) => documentLanes(axis, at, series)] : []),
    ...(series.nodes.length > 0 ? [(at: number) => nodeLanes(axis, at, series)] : []),
  ];
  let y = top;
  const drawn = panels.map((draw) => {
    const panel = draw(y);
    y += panel.height + panelGap;
    return panel;
  });
  const bottom = y - panelGap + 8;
  const span = { top: top - 8, bottom };
  const bands = faultBands(axis, span, faults);
  return html`<svg class="timeline" viewBox="0 0 ${width} ${bottom + axisHeight}" role="img" aria-labelledby="timeline-title timeline-text">
<title id="timeline-title">What happened, over time</title>
<desc id="timeline-text">${describe(report, series)}</desc>
<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="hatch-ground" width="6" height="6"/><rect class="hatch-line" width="2" height="6"/></pattern></defs>
${drawn.map(({ ground }) => ground)}
${bands.areas}
${drawn.map(({ content }) => content)}
${bands.edges}
${drawn.map(({ head }) => head)}
${labels.content}
${timeLine(axis, bottom)}
${drawMarks(axis, span, violationMarks(laws))}
</svg>`;
}

function timeLine(axis: TimeAxis, bottom: number): Markup {
  const ticks = axis.ticks.map(
    ({ x, label }) =>
      html`<line class="axis" x1="${x}" x2="${x}" y1="${bottom}" y2="${bottom + 5}"/><text class="tick" text-anchor="middle" x="${x}" y="${bottom + 18}">${label}</text>`,
  );
  return html`<line class="axis" x1="${axis.left}" x2="${axis.right}" y1="${bottom}" y2="${bottom}"/>${ticks}<text class="key" text-anchor="middle" x="${axis.left + axis.width / 2}" y="${bottom + 36}">time since the start of the run</text>`;
}

/** The picture in words, for whoever cannot see it. */
function describe({ figures, faults, laws }: DrillReport, series: RunSeries): string {
  const { ops, takeovers } = figures;
  const rate = `${counted(ops.acknowledged, 'write was', 'writes were')} acknowledged, ${ops.perSecond} per second.`;
  const broken = faults.map((fault) => {
    const { startMs, recoveryMs } = fault;
    const recovery =
      recoveryMs === null
        ? ''
        : `, after which the longest outage was ${formatDuration(recoveryMs)}`;
    return `${faultWords(fault)} at ${formatDuration(startMs)}${recovery}.`;
  });
  const owners = `${counted(series.documents, 'document')} on ${counted(series.nodes.length, 'node')} changed hands ${takeovers} times.`;
  const marks = violationMarks(laws).map(
    ({ law, atMs }) => `${law} is violated at ${formatDuration(atMs)}.`,
  );
  return [rate, ...broken, owners, ...marks].join(' ');
}
