import { formatDuration } from '../../foundation/duration.ts';
import type { DrillProgress } from '../../verification/drills/drill.ts';
import { counted } from '../../verification/law.ts';
import type { Line, Span } from './styled-text.ts';

/** How a drill goes, as a block of a few lines that is drawn again and again. */
export function progressBlock(progress: DrillProgress): Line[] {
  const { phase, doing, elapsedMs, load, faults } = progress;
  const elapsed = {
    text: formatDuration(Math.floor(elapsedMs / 100) * 100),
    style: 'dim',
  } as const;
  const lines: Line[] = [[{ text: phase, style: 'bold' }, `  ${doing}  `, elapsed]];
  if (load !== null) lines.push(['  ', loadText(load)]);
  if (faults.length > 0) lines.push(['  ', { text: faultsText(progress), style: 'warning' }]);
  lines.push(['  ', violationsSpan(progress)]);
  return lines;
}

/** The same as one line, for a log. */
export function progressLine(progress: DrillProgress): Line {
  const { phase, doing, elapsedMs, load, faults } = progress;
  const parts = [
    ...(load === null ? [] : [loadText(load)]),
    ...(faults.length === 0 ? [] : [faultsText(progress)]),
  ];
  const elapsed = formatDuration(Math.round(elapsedMs / 1_000) * 1_000);
  return [
    `${elapsed}  ${phase}: ${doing}; ${parts.map((part) => `${part}; `).join('')}`,
    violationsSpan(progress),
  ];
}

function loadText(load: NonNullable<DrillProgress['load']>): string {
  const { opsPerSecond, acknowledged, failed, unknown, underWay } = load;
  const lost = failed + unknown === 0 ? '' : `, ${failed} failed, ${unknown} unknown`;
  return `${opsPerSecond} ops/s, ${acknowledged} acknowledged, ${underWay} under way${lost}`;
}

function faultsText({ faults }: DrillProgress): string {
  return faults.map(({ fault, target }) => `${fault} on ${target}`).join(', ');
}

function violationsSpan({ violations }: DrillProgress): Span {
  if (violations.length === 0) return { text: 'no violation so far', style: 'dim' };
  const total = violations.reduce((sum, { count }) => sum + count, 0);
  const laws = violations.map(({ law }) => law).join(', ');
  return { text: `${counted(total, 'violation')} so far: ${laws}`, style: 'bad' };
}
