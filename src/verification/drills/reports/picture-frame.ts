import { html, type Markup } from './markup.ts';
import type { TimeAxis } from './time-axis.ts';

/** What a part of the picture has drawn, from the back to the front, and how much height it took. */
export interface Drawn {
  readonly ground: Markup;
  readonly content: Markup;
  readonly head: Markup;
  readonly height: number;
}

/** A key to a colour or a line: `swatch` is the class that paints it. */
export interface LegendEntry {
  readonly swatch: string;
  readonly text: string;
}

export const headHeight = 24;
/** Of a small letter, in the font of the picture: to tell what fits where. */
const letterWidth = 6.5;

export function textWidth(text: string): number {
  return text.length * letterWidth;
}

/** The title of a panel and the key to it, on one line above it. */
export function panelHead(
  axis: TimeAxis,
  top: number,
  title: string,
  legend: readonly LegendEntry[],
): Markup {
  let right = axis.right;
  const entries = legend.toReversed().map(({ swatch, text }) => {
    right -= textWidth(text) + 26;
    return html`<rect class="swatch ${swatch}" x="${right}" y="${top + 7}" width="10" height="10" rx="2"/><text class="key" x="${right + 14}" y="${top + 16}">${text}</text>`;
  });
  return html`<text class="panel-title" x="${axis.left}" y="${top + 16}">${title}</text>${entries}`;
}

/** The ground of a panel, with a faint line for each time that is written below. */
export function panelGround(axis: TimeAxis, top: number, height: number): Markup {
  const lines = axis.ticks.map(
    ({ x }) => html`<line class="hour" x1="${x}" x2="${x}" y1="${top}" y2="${top + height}"/>`,
  );
  return html`<rect class="panel" x="${axis.left}" y="${top}" width="${axis.width}" height="${height}"/>${lines}`;
}

/** A line across the panel, with what it stands for at its left. */
export function gridLine(axis: TimeAxis, y: number, label: string): Markup {
  return html`<line class="grid" x1="${axis.left}" x2="${axis.right}" y1="${y}" y2="${y}"/><text class="tick" text-anchor="end" x="${axis.left - 8}" y="${y + 3.5}">${label}</text>`;
}

/** The name of a lane, cut in its middle when it is too long: ends of names tell them apart. */
export function laneLabel(axis: TimeAxis, y: number, name: string, lengthMax = 16): Markup {
  const half = Math.floor((lengthMax - 1) / 2);
  const letters = [...name];
  const shown =
    letters.length <= lengthMax
      ? name
      : `${letters.slice(0, half).join('')}…${letters.slice(-half).join('')}`;
  return html`<text class="lane-name" text-anchor="end" x="${axis.left - 8}" y="${y}">${shown}<title>${name}</title></text>`;
}
