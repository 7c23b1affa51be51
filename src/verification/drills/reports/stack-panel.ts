import type { RunSeries } from '../figures/run-series.ts';
import { html, type Markup } from './markup.ts';
import { nodeClass, ownerLegend } from './node-colours.ts';
import { type Drawn, gridLine, headHeight, panelGround, panelHead } from './picture-frame.ts';
import type { TimeAxis } from './time-axis.ts';

const stackHeight = 90;

/** One bucket of the picture, and how many documents are stacked up in it so far. */
interface Column {
  readonly left: number;
  readonly right: number;
  readonly counts: readonly number[];
  readonly everOwned: number;
  height: number;
}

/**
 * How many documents each node owned: the picture of many documents that move at once. What had an
 * owner and lost it is nobody's.
 */
export function stackPanel(axis: TimeAxis, top: number, series: RunSeries): Drawn {
  const { documents, nodes } = series;
  const [ceiling, floor] = [top + headHeight, top + headHeight + stackHeight];
  const y = (count: number) => floor - (count / documents) * stackHeight;
  const columns = columnsOf(axis, series);
  const owned = nodes.map(({ nodeId }, node) =>
    layer(columns, y, { name: nodeId, swatch: nodeClass(node) }, ({ counts }) => counts[node] ?? 0),
  );
  const lost = layer(columns, y, { name: 'nobody', swatch: 'nobody' }, ({ everOwned, height }) =>
    Math.max(0, everOwned - height),
  );
  const grid = [0, documents].map((count) =>
    gridLine(axis, y(count), count.toLocaleString('en-US')),
  );
  return {
    head: panelHead(axis, top, 'Documents owned by each node', ownerLegend(nodes)),
    ground: html`${panelGround(axis, ceiling, stackHeight)}${grid}`,
    content: html`${owned}${lost}`,
    height: headHeight + stackHeight,
  };
}

function columnsOf(axis: TimeAxis, { buckets, bucketMs }: RunSeries): Column[] {
  return buckets.flatMap(({ owned, everOwned }, at) => {
    const [fromMs, toMs] = [at * bucketMs, (at + 1) * bucketMs];
    if (!axis.shows(fromMs, toMs)) return [];
    return [{ left: axis.x(fromMs), right: axis.x(toMs), counts: owned, everOwned, height: 0 }];
  });
}

/** Puts a layer on top of those before it. */
function layer(
  columns: readonly Column[],
  y: (count: number) => number,
  { name, swatch }: { readonly name: string; readonly swatch: string },
  countOf: (column: Column) => number,
): Markup {
  const lower: string[] = [];
  const upper: string[] = [];
  for (const column of columns) {
    const { left, right, height } = column;
    lower.push(point(left, y(height)), point(right, y(height)));
    column.height += countOf(column);
    upper.push(point(left, y(column.height)), point(right, y(column.height)));
  }
  const points = [...upper, ...lower.reverse()].join(' ');
  return html`<polygon class="${swatch}" points="${points}"><title>${name}</title></polygon>`;
}

function point(x: number, y: number): string {
  return `${x.toFixed(1)},${y.toFixed(1)}`;
}
