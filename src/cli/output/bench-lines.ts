import { formatDuration } from '../../foundation/duration.ts';
import type { BenchReport } from '../../verification/bench/bench-report.ts';
import { fieldLines, type Line } from './styled-text.ts';

/** What a measurement found; with an earlier one, each figure beside what it was then. */
export function benchLines(report: BenchReport, earlier: BenchReport | null): Line[] {
  const { latency, cpu, unit } = report;
  const before = (then: number | null | undefined, now: number | null) =>
    !then || now === null ? '' : `   x ${(now / then).toFixed(2)}`;
  const duration = (figure: keyof BenchReport['latency']) =>
    `${formatDuration(latency[figure])}${before(earlier?.latency[figure], latency[figure])}`;
  const microseconds = (figure: keyof BenchReport['cpu']) => {
    const used = cpu[figure];
    return used === null ? 'unknown' : `${used} us for one${before(earlier?.cpu[figure], used)}`;
  };
  const wanted = report.wantedRate === null ? '' : ` of ${report.wantedRate}`;
  return fieldLines([
    ['work', `${report.work}, ${report.payloadBytes} B, ${report.documents} documents`],
    ['cluster', `${report.nodes} nodes, ${report.server}`],
    ['load', `${report.load}, for ${formatDuration(report.durationMs)}`],
    [unit, report.done],
    ['failed', failuresText(report)],
    ['a second', `${report.rate}${wanted}${before(earlier?.rate, report.rate)}`],
    ['p50', duration('p50Ms')],
    ['p90', duration('p90Ms')],
    ['p99', duration('p99Ms')],
    ['p99.9', duration('p999Ms')],
    ['at most', duration('maxMs')],
    ['CPU of nodes', microseconds('nodesUs')],
    ['CPU of broker', microseconds('brokerUs')],
    ['CPU of this', microseconds('selfUs')],
    ...Object.entries(report.extras).map(([name, value]): [string, string] => [
      extraNames[name] ?? name,
      name.endsWith('Ms') ? formatDuration(value) : String(value),
    ]),
  ]);
}

const extraNames: Readonly<Record<string, string>> = {
  firstAnswerMs: 'first answer',
  lastAnswerMs: 'last answer',
  firstRowP50Ms: 'first row',
};

function failuresText({ failed, failures }: BenchReport): string {
  const codes = Object.entries(failures).map(([code, count]) => `${count} ${code}`);
  return codes.length === 0 ? String(failed) : `${failed}: ${codes.join(', ')}`;
}
