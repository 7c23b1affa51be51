import { formatDuration } from '../../../foundation/duration.ts';
import type { BudgetReport } from '../drill-report.ts';
import type { RunSeries, SeriesBucket } from '../figures/run-series.ts';
import { html, type Markup } from './markup.ts';
import { type Drawn, gridLine, headHeight, panelGround, panelHead } from './picture-frame.ts';
import type { TimeAxis } from './time-axis.ts';

const rateHeight = 130;
const latencyHeight = 130;

/** How many writes were acknowledged in each second, and how many failed. */
export function ratePanel(axis: TimeAxis, top: number, series: RunSeries): Drawn {
  const perSecond = 1_000 / series.bucketMs;
  const shown = visible(axis, series);
  const most = Math.max(1, ...shown.map(({ bucket }) => totalOf(bucket) * perSecond));
  const max = niceCeiling(most);
  const [ceiling, floor] = [top + headHeight, top + headHeight + rateHeight];
  const y = (rate: number) => floor - (rate / max) * rateHeight;
  const steps = shown.map(
    ({ x, bucket }) =>
      `L${point(x, y(bucket.acknowledged * perSecond))}H${round(x + widthOf(axis, series))}`,
  );
  const outline = steps.join('');
  const first = round(shown[0]?.x ?? axis.left);
  const bars = shown.flatMap(({ x, bucket }) => [lossBar(axis, series, { x, y, bucket, floor })]);
  const grid = [0, 0.5, 1].map((share) => gridLine(axis, y(max * share), countText(max * share)));
  const legend = [
    { swatch: 'rate-area', text: 'acknowledged' },
    { swatch: 'failed', text: 'failed' },
    { swatch: 'doubtful', text: 'outcome unknown' },
  ];
  return {
    head: panelHead(axis, top, 'Writes per second', legend),
    ground: html`${panelGround(axis, ceiling, rateHeight)}${grid}`,
    content: html`<path class="rate-area" d="M${first},${round(floor)}${outline}V${round(floor)}Z"/>
<path class="rate-line" d="M${first},${round(floor)}${outline}V${round(floor)}"/>
${bars}`,
    height: headHeight + rateHeight,
  };
}

/** How long acknowledgements took, where the ops were submitted, on a scale of powers of ten. */
export function latencyPanel(
  axis: TimeAxis,
  top: number,
  series: RunSeries,
  budgets: readonly BudgetReport[],
): Drawn {
  const shown = visible(axis, series);
  const known = shown.flatMap(({ bucket }) => bucket.latency ?? []);
  const low = Math.floor(Math.log10(Math.max(0.01, Math.min(...known.map(({ p50Ms }) => p50Ms)))));
  const high = Math.ceil(Math.log10(Math.max(...known.map(({ maxMs }) => maxMs))));
  const decades = {
    from: known.length === 0 ? 0 : low,
    to: known.length === 0 ? 2 : Math.max(high, low + 2),
  };
  const [ceiling, floor] = [top + headHeight, top + headHeight + latencyHeight];
  const y = (ms: number) => {
    const share = (Math.log10(Math.max(ms, 0.001)) - decades.from) / (decades.to - decades.from);
    return floor - Math.min(1, Math.max(0, share)) * latencyHeight;
  };
  const grid: Markup[] = [];
  for (let power = decades.from; power <= decades.to; power++) {
    grid.push(gridLine(axis, y(10 ** power), powerText(power)));
  }
  const middle = widthOf(axis, series) / 2;
  const line = (pick: (latency: NonNullable<SeriesBucket['latency']>) => number) =>
    brokenLine(
      shown.map(({ x, bucket }) => [x + middle, bucket.latency && y(pick(bucket.latency))]),
    );
  const legend = [
    { swatch: 'p50', text: 'half are faster (p50)' },
    { swatch: 'p99', text: '99 of 100 are faster (p99)' },
    { swatch: 'slowest', text: 'slowest' },
  ];
  return {
    head: panelHead(axis, top, 'Time to acknowledge', legend),
    ground: html`${panelGround(axis, ceiling, latencyHeight)}${grid}`,
    content: html`<path class="slowest-line" d="${line(({ maxMs }) => maxMs)}"/>
<path class="p99-line" d="${line(({ p99Ms }) => p99Ms)}"/>
<path class="p50-line" d="${line(({ p50Ms }) => p50Ms)}"/>
${budgetLines(axis, y, budgets)}`,
    height: headHeight + latencyHeight,
  };
}

function budgetLines(
  axis: TimeAxis,
  y: (ms: number) => number,
  budgets: readonly BudgetReport[],
): Markup[] {
  return budgets
    .filter(({ name }) => name === 'p50' || name === 'p99')
    .map(({ name, limitMs }) => {
      const at = y(limitMs);
      const label = `budget of ${name}: ${formatDuration(limitMs)}`;
      return html`<line class="budget" x1="${axis.left}" x2="${axis.right}" y1="${at}" y2="${at}"/><text class="budget-text" text-anchor="end" x="${axis.right - 4}" y="${at - 4}">${label}</text>`;
    });
}

interface Placed {
  readonly x: number;
  readonly bucket: SeriesBucket;
}

function lossBar(
  axis: TimeAxis,
  series: RunSeries,
  {
    x,
    y,
    bucket,
    floor,
  }: Placed & { readonly y: (rate: number) => number; readonly floor: number },
): Markup {
  const { failed, unknown } = bucket;
  if (failed + unknown === 0) return html``;
  const perSecond = 1_000 / series.bucketMs;
  const width = Math.max(2, widthOf(axis, series));
  // One op that failed must be seen, however small its share.
  const failedHeight = failed === 0 ? 0 : Math.max(3, floor - y(failed * perSecond));
  const unknownHeight = unknown === 0 ? 0 : Math.max(3, floor - y(unknown * perSecond));
  return html`<g><title>${failed} failed, ${unknown} with an unknown outcome</title><rect class="failed" x="${x}" y="${floor - failedHeight}" width="${width}" height="${failedHeight}"/><rect class="doubtful" x="${x}" y="${floor - failedHeight - unknownHeight}" width="${width}" height="${unknownHeight}"/></g>`;
}

function visible(axis: TimeAxis, series: RunSeries): Placed[] {
  const { bucketMs, buckets } = series;
  return buckets.flatMap((bucket, at) => {
    const fromMs = at * bucketMs;
    return axis.shows(fromMs, fromMs + bucketMs - 1) ? [{ x: axis.x(fromMs), bucket }] : [];
  });
}

function widthOf(axis: TimeAxis, { bucketMs }: RunSeries): number {
  return axis.x(axis.range.fromMs + bucketMs) - axis.left;
}

function totalOf({ acknowledged, failed, unknown }: SeriesBucket): number {
  return Math.max(acknowledged, failed + unknown);
}

/** Through the points, with gaps where there is none; a lonely point is a short dash. */
function brokenLine(points: readonly (readonly [number, number | null])[]): string {
  let path = '';
  points.forEach(([x, y], at) => {
    if (y === null) return;
    const follows = at > 0 && points[at - 1]?.[1] !== null;
    path += `${follows ? 'L' : 'M'}${point(x, y)}`;
    if (!follows && points[at + 1]?.[1] == null) path += 'h1.5';
  });
  return path;
}

function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((step) => step * power >= value) ?? 10) * power;
}

function countText(value: number): string {
  return Number.isInteger(value)
    ? value.toLocaleString('en-US')
    : String(Math.round(value * 10) / 10);
}

/** `10 ms`, `1 s`: seconds throughout, or powers of ten would not look like any. */
function powerText(power: number): string {
  return power < 3 ? `${10 ** power} ms` : `${10 ** (power - 3)} s`;
}

function point(x: number, y: number): string {
  return `${round(x)},${round(y)}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
