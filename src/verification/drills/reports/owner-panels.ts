import { formatDuration } from '../../../foundation/duration.ts';
import { counted } from '../../law.ts';
import type { DocumentLane, NodeLane, OwnerSpan, RunSeries } from '../figures/run-series.ts';
import { html, type Markup } from './markup.ts';
import { nodeClass, ownerLegend, shortName } from './node-colours.ts';
import { type Drawn, headHeight, laneLabel, panelHead, textWidth } from './picture-frame.ts';
import type { TimeAxis } from './time-axis.ts';

const laneHeight = 16;
const laneGap = 4;
const nodesShown = 24;
const lanesBesides = 8;
/** More documents than this are shown as a sum, too. */
export const documentsApart = 20;

/** Who owned each of some documents, and when nobody did. */
export function documentLanes(axis: TimeAxis, top: number, series: RunSeries): Drawn {
  const { documents, nodes } = series;
  // Where many are shown as a sum, a few are enough to see how one of them fared.
  const lanes = series.lanes
    .slice(0, documents > documentsApart ? lanesBesides : undefined)
    .sort((a, b) => byName(a.doc, b.doc));
  const some =
    documents > lanes.length
      ? `${lanes.length} of ${counted(documents, 'document')}`
      : 'each document';
  const rows = lanes.map((lane, at) =>
    documentLane(axis, top + headHeight + at * (laneHeight + laneGap), lane, nodes),
  );
  return {
    head: panelHead(axis, top, `Who owned ${some}`, ownerLegend(nodes)),
    ground: html``,
    content: html`${rows}`,
    height: headHeight + lanes.length * (laneHeight + laneGap) - laneGap,
  };
}

/** When each node ran, and when it was a member of the cluster. */
export function nodeLanes(axis: TimeAxis, top: number, { nodes }: RunSeries): Drawn {
  const placed = nodes.map((lane, node) => ({ lane, node })).slice(0, nodesShown);
  const rows = placed.map(({ lane, node }, at) =>
    nodeLane(axis, top + headHeight + at * (laneHeight + laneGap), lane, node),
  );
  const legend = [
    { swatch: 'member-key', text: 'in the cluster' },
    { swatch: 'member-key pale', text: 'runs, but is not in it' },
    { swatch: 'lane-track', text: 'down' },
  ];
  const some = nodes.length > placed.length ? ` (${placed.length} of ${nodes.length})` : '';
  return {
    head: panelHead(axis, top, `Nodes${some}`, legend),
    ground: html``,
    content: html`${rows}`,
    height: headHeight + placed.length * (laneHeight + laneGap) - laneGap,
  };
}

function documentLane(
  axis: TimeAxis,
  top: number,
  { doc, owners, isCut }: DocumentLane,
  nodes: readonly NodeLane[],
): Markup {
  const gaps = owners.slice(1).flatMap(({ fromMs }, at) => {
    const lostMs = owners[at]?.toMs;
    return lostMs == null || fromMs <= lostMs ? [] : [nobody(axis, top, lostMs, fromMs)];
  });
  const last = owners.at(-1)?.toMs;
  if (last != null && last < axis.range.toMs) gaps.push(nobody(axis, top, last, axis.range.toMs));
  const spans = owners.map((span) => ownerSpan(axis, top, span, nodes[span.node]?.nodeId ?? ''));
  const [first] = owners;
  const cut =
    isCut && first !== undefined
      ? `before +${formatDuration(first.fromMs)} there were more owners than are kept`
      : '';
  return html`${track(axis, top, cut)}${laneLabel(axis, top + 12, doc)}${gaps}${spans}`;
}

function ownerSpan(axis: TimeAxis, top: number, span: OwnerSpan, nodeId: string): Markup {
  const toMs = span.toMs ?? axis.range.toMs;
  if (!axis.shows(span.fromMs, toMs)) return html``;
  const [left, right] = [axis.x(span.fromMs), axis.x(toMs)];
  const until = span.toMs === null ? 'to the end' : `to +${formatDuration(span.toMs)}`;
  const label = `${shortName(nodeId)}, epoch ${span.epoch}`;
  const fits = textWidth(label) + 10 < right - left;
  return html`<g><title>${nodeId} in epoch ${span.epoch}, from +${formatDuration(span.fromMs)} ${until}</title><rect class="${nodeClass(span.node)}" x="${left}" y="${top}" width="${Math.max(1, right - left)}" height="${laneHeight}" rx="2"/>${
    fits ? html`<text class="on-node" x="${left + 6}" y="${top + 12}">${label}</text>` : null
  }</g>`;
}

function nobody(axis: TimeAxis, top: number, fromMs: number, toMs: number): Markup {
  if (!axis.shows(fromMs, toMs)) return html``;
  const [left, right] = [axis.x(fromMs), axis.x(toMs)];
  return html`<rect class="nobody" x="${left}" y="${top}" width="${Math.max(1.5, right - left)}" height="${laneHeight}"><title>nobody owned it for ${formatDuration(toMs - fromMs)}, from +${formatDuration(fromMs)}</title></rect>`;
}

function nodeLane(axis: TimeAxis, top: number, lane: NodeLane, node: number): Markup {
  const bar =
    (className: string, what: string) => (span: { fromMs: number; toMs: number | null }) => {
      const toMs = span.toMs ?? axis.range.toMs;
      if (!axis.shows(span.fromMs, toMs)) return html``;
      const [left, right] = [axis.x(span.fromMs), axis.x(toMs)];
      const until = span.toMs === null ? 'to the end' : `to +${formatDuration(span.toMs)}`;
      return html`<rect class="${className}" x="${left}" y="${top}" width="${Math.max(1, right - left)}" height="${laneHeight}" rx="2"><title>${lane.nodeId} ${what} from +${formatDuration(span.fromMs)} ${until}</title></rect>`;
    };
  const colour = nodeClass(node);
  return html`${track(axis, top, '')}${laneLabel(axis, top + 12, lane.nodeId)}${lane.up.map(bar(`${colour} pale`, 'ran'))}${lane.member.map(bar(colour, 'was in the cluster'))}`;
}

function track(axis: TimeAxis, top: number, title: string): Markup {
  return html`<rect class="lane-track" x="${axis.left}" y="${top}" width="${axis.width}" height="${laneHeight}" rx="2">${
    title === '' ? null : html`<title>${title}</title>`
  }</rect>`;
}

/** With `n2` before `n10`. */
function byName(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
