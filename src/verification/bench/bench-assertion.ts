import { formatDuration, parseDurationMs } from '../../foundation/duration.ts';
import { BackplaneError } from '../../foundation/errors.ts';
import type { BenchReport } from './bench-report.ts';

/** `p99<5ms`, `rate>20000`, `failed<1`. */
export interface BenchAssertion {
  readonly text: string;
  readonly figure: AssertableFigure;
  readonly below: boolean;
  /** Milliseconds for latencies. */
  readonly bound: number;
}

const latencies = {
  p50: 'p50Ms',
  p90: 'p90Ms',
  p99: 'p99Ms',
  p999: 'p999Ms',
  max: 'maxMs',
  mean: 'meanMs',
} as const;
const counts = ['rate', 'done', 'failed'] as const;

export type AssertableFigure = keyof typeof latencies | (typeof counts)[number];

export const assertableFigures: readonly string[] = [...Object.keys(latencies), ...counts];

/** Several with commas between them. Throws USAGE. */
export function parseBenchAssertions(text: string): BenchAssertion[] {
  return text.split(',').map((part) => parseOne(part.trim()));
}

function parseOne(text: string): BenchAssertion {
  const [, figure = '', sign, bound = ''] = /^([a-z0-9]+)([<>])(\S+)$/.exec(text) ?? [];
  if (!assertableFigures.includes(figure)) {
    throw new BackplaneError('USAGE', `"${text}" is no assertion`, {
      remedy: `write p99<5ms or rate>20000; the figures are ${assertableFigures.join(', ')}`,
    });
  }
  const isLatency = Object.hasOwn(latencies, figure);
  const value = isLatency ? parseDurationMs(bound) : Number(bound);
  if (!Number.isFinite(value) || bound === '') {
    throw new BackplaneError('USAGE', `"${bound}" is not a number`);
  }
  return { text, figure: figure as AssertableFigure, below: sign === '<', bound: value };
}

/** What does not hold, in words; empty when all do. Nothing measured fails every latency. */
export function failedAssertions(
  report: BenchReport,
  assertions: readonly BenchAssertion[],
): string[] {
  return assertions.flatMap(({ text, figure, below, bound }) => {
    if (report.done === 0) return [`${text}: unknown, nothing was done`];
    const value = figureOf(report, figure);
    if (below ? value < bound : value > bound) return [];
    const shown = Object.hasOwn(latencies, figure) ? formatDuration(value) : String(value);
    return [`${text}: it is ${shown}`];
  });
}

function figureOf(report: BenchReport, figure: AssertableFigure): number {
  if (figure === 'rate' || figure === 'done' || figure === 'failed') return report[figure];
  return report.latency[latencies[figure]];
}
