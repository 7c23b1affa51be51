import { formatDuration } from '../../foundation/duration.ts';
import type {
  BudgetReport,
  DrillReport,
  FaultReport,
} from '../../verification/drills/drill-report.ts';
import { lawLines, outcomeSpan } from './law-lines.ts';
import { fieldLines, type Line, type Span } from './styled-text.ts';

/** What a drill found, for people: the verdict first, the proof last. */
export function drillLines(report: DrillReport): Line[] {
  const { faults, budgets, laws, replay } = report;
  return [
    ...summaryLines(report),
    ...(faults.length === 0 ? [] : ['', ...faultLines(faults)]),
    ...(budgets.length === 0 ? [] : ['', ...budgets.map(budgetLine)]),
    ...['', ...lawLines(laws)],
    ...['', [{ text: 'again: ', style: 'dim' } as const, replay]],
  ];
}

function summaryLines(report: DrillReport): Line[] {
  const { figures, cluster, scenario, summary, outcome, reason, seed, history } = report;
  const { ops, requests, latency, takeovers, deliveries } = figures;
  const { nodes, broker, store, attached } = cluster;
  const existing = attached === null ? '' : `${attached}: `;
  return [
    [{ text: scenario, style: 'bold' }, `  ${summary}`],
    '',
    ...fieldLines([
      ['verdict', outcomeSpan(outcome)],
      ['why', reason],
      ['cluster', `${existing}${nodes} nodes, ${broker}, logs in ${store}`],
      ['ops', opsText(ops)],
      [
        'latency',
        latency === null
          ? null
          : `p50 ${formatDuration(latency.p50Ms)}, p99 ${formatDuration(latency.p99Ms)}, at most ${formatDuration(latency.maxMs)}`,
      ],
      ['deliveries', deliveries],
      [
        'requests',
        requests.sent === 0 ? null : `${requests.answered} answered, ${requests.failed} failed`,
      ],
      ['takeovers', takeovers],
      ['time', formatDuration(report.durationMs)],
      ['seed', seed],
      ['history', history],
    ]),
  ];
}

function opsText(ops: DrillReport['figures']['ops']): string {
  const { acknowledged, perSecond, failed, unknown } = ops;
  return `${acknowledged} acknowledged (${perSecond}/s), ${failed} failed, ${unknown} unknown`;
}

const headers = ['FAULT', 'ON', 'AT', 'FOR', 'RECOVERY'];

/** Evidence comes last, because it is as long as it likes. */
function faultLines(faults: readonly FaultReport[]): Line[] {
  const rows = faults.map(({ fault, target, startMs, endMs, recoveryMs }) => [
    ...[fault, target, `+${formatDuration(startMs)}`, heldText(startMs, endMs)],
    recoveryMs === null ? '-' : formatDuration(recoveryMs),
  ]);
  const widths = headers.map((header, at) =>
    Math.max(header.length, ...rows.map((row) => (row[at] as string).length)),
  );
  const padded = (cells: readonly string[]) =>
    cells.map((cell, at) => cell.padEnd((widths[at] as number) + 3)).join('');
  const evidence = (text: string | null): Span =>
    text ?? { text: 'nothing shows that it took effect', style: 'warning' };
  return [
    [{ text: `${padded(headers)}EVIDENCE`, style: 'dim' }],
    ...rows.map((row, at): Line => [padded(row), evidence(faults[at]?.evidence ?? null)]),
  ];
}

function heldText(startMs: number, endMs: number | null): string {
  return endMs === null || endMs === startMs ? '-' : formatDuration(endMs - startMs);
}

function budgetLine({ name, limitMs, actualMs, kept }: BudgetReport): Line {
  const limit = formatDuration(limitMs);
  if (actualMs === null) {
    return [
      `${name.padEnd(10)}`,
      outcomeSpan('unknown', 10),
      `nothing measured; the budget is ${limit}`,
    ];
  }
  const outcome = outcomeSpan(kept ? 'kept' : 'missed', 10);
  return [`${name.padEnd(10)}`, outcome, `${formatDuration(actualMs)} of ${limit}`];
}
