import { formatDuration } from '../../../foundation/duration.ts';
import type { LawReport } from '../../judge-history.ts';
import type { FaultReport } from '../drill-report.ts';
import { html, type Markup } from './markup.ts';
import { type Drawn, textWidth } from './picture-frame.ts';
import type { TimeAxis } from './time-axis.ts';
import { faultWords } from './verdict-words.ts';

/** A violation in time. */
export interface ViolationMark {
  readonly law: string;
  readonly claim: string;
  readonly atMs: number;
}

const rowHeight = 21;
const rowsMax = 5;
/** Beyond this many rows of full labels, a fault has only its number. */
const labelledRows = 3;
const numberWidth = 20;
/** How much wider letters are here than those of other texts. */
const boldness = 1.09;
const bandsMax = 400;

/** The faults over a picture, each with its number in the table and, where there is room, its name. */
export function faultLabels(
  axis: TimeAxis,
  top: number,
  faults: readonly FaultReport[],
): Pick<Drawn, 'content' | 'height'> {
  /** Where each row is free from. */
  const rows: number[] = [];
  const labels = faults.slice(0, bandsMax).map((fault, at) => {
    const number = String(at + 1);
    const words = `${number}  ${clipped(faultWords(fault))}`;
    const place = (width: number, rowCount: number) => {
      const x = Math.max(axis.left, Math.min(axis.x(fault.startMs) - 6, axis.right - width));
      const row = Array.from({ length: rowCount }, (_, each) => each).find(
        (each) => (rows[each] ?? 0) <= x,
      );
      if (row === undefined) return null;
      rows[row] = x + width + 4;
      return { x, width, y: top + row * rowHeight };
    };
    const wide = place(textWidth(words) * boldness + 14, labelledRows);
    const spot = wide ?? place(textWidth(number) + numberWidth - 6, rowsMax);
    if (spot === null) return html``;
    const text = wide === null ? number : words;
    return html`<g><title>${titleOf(fault)}</title><rect class="fault-label" x="${spot.x}" y="${spot.y}" width="${spot.width}" height="${rowHeight - 4}" rx="8"/><text class="fault-text" x="${spot.x + 7}" y="${spot.y + 12.5}">${text}</text></g>`;
  });
  return { content: html`${labels}`, height: rows.length * rowHeight };
}

/** From the labels down through every panel; a fault that takes no time is a line. */
export function faultBands(
  axis: TimeAxis,
  { top, bottom }: { readonly top: number; readonly bottom: number },
  faults: readonly FaultReport[],
): { readonly areas: readonly Markup[]; readonly edges: readonly Markup[] } {
  const drawn = faults.slice(0, bandsMax).map((fault) => {
    const [left, right] = [axis.x(fault.startMs), axis.x(fault.endMs ?? axis.range.toMs)];
    const edge = (x: number) =>
      html`<line class="fault-edge" x1="${x}" x2="${x}" y1="${top}" y2="${bottom}"/>`;
    return {
      area: html`<rect class="fault-band" x="${left}" y="${top}" width="${right - left}" height="${bottom - top}"><title>${titleOf(fault)}</title></rect>`,
      edge: html`<g><title>${titleOf(fault)}</title>${edge(left)}${right - left < 1 ? null : edge(right)}</g>`,
    };
  });
  return { areas: drawn.map(({ area }) => area), edges: drawn.map(({ edge }) => edge) };
}

/** When each proof of a violation was seen; what is read when all is over proves nothing about when. */
export function violationMarks(laws: readonly LawReport[]): ViolationMark[] {
  return laws.flatMap(({ law, counterexamples }) =>
    counterexamples.flatMap(({ claim, events }) => {
      const seen = events.findLast(({ event }) => !String(event.ev).startsWith('final.'));
      const last = seen ?? events.at(-1);
      return last === undefined ? [] : [{ law, claim, atMs: last.atMs }];
    }),
  );
}

export function drawMarks(
  axis: TimeAxis,
  { top, bottom }: { readonly top: number; readonly bottom: number },
  marks: readonly ViolationMark[],
): Markup[] {
  return marks.map(({ law, claim, atMs }) => {
    const x = axis.x(atMs);
    return html`<g><title>${law} is violated: ${claim} (+${formatDuration(atMs)})</title><line class="violation-line" x1="${x}" x2="${x}" y1="${top}" y2="${bottom}"/><path class="violation" d="M${x},${top - 7}l7,7l-7,7l-7,-7z"/><path class="violation" d="M${x},${bottom - 7}l7,7l-7,7l-7,-7z"/></g>`;
  });
}

function titleOf(fault: FaultReport): string {
  const { startMs, endMs, recoveryMs } = fault;
  const held = endMs === null || endMs === startMs ? '' : ` for ${formatDuration(endMs - startMs)}`;
  const recovery =
    recoveryMs === null ? '' : `; the longest outage was ${formatDuration(recoveryMs)}`;
  return `${faultWords(fault)}, at +${formatDuration(startMs)}${held}${recovery}`;
}

function clipped(text: string): string {
  const letters = [...text];
  return letters.length <= 40 ? text : `${letters.slice(0, 39).join('')}…`;
}
