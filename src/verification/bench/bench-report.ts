import type { BenchTally } from './bench-tally.ts';
import { type CpuReading, cpuBetween } from './cpu-meter.ts';
import type { LatencyFigures } from './latency-record.ts';
import type { LoadPlan } from './run-load.ts';

/** What a benchmark found; JSON-safe. Latencies count from when the work was meant to begin. */
export interface BenchReport {
  readonly work: string;
  /** What is counted, as `done`, `failed` and `rate`. */
  readonly unit: string;
  readonly server: string;
  readonly nodes: number;
  readonly documents: number;
  readonly payloadBytes: number;
  readonly load: string;
  readonly durationMs: number;
  readonly done: number;
  readonly failed: number;
  /** Done a second. */
  readonly rate: number;
  /** In an open loop: what was asked for. */
  readonly wantedRate: number | null;
  readonly latency: LatencyFigures;
  readonly failures: Readonly<Record<string, number>>;
  /** CPU time for each that was done, in microseconds; null where it could not be read. */
  readonly cpu: {
    readonly nodesUs: number | null;
    readonly brokerUs: number | null;
    readonly selfUs: number | null;
  };
  /** Figures that only this work has. */
  readonly extras: Readonly<Record<string, number>>;
}

export interface Measured {
  readonly work: string;
  readonly unit: string;
  readonly server: string;
  readonly nodes: number;
  readonly documents: number;
  readonly payloadBytes: number;
  readonly load: LoadPlan;
  readonly tally: BenchTally;
  readonly cpuBefore: CpuReading;
  readonly cpuAfter: CpuReading;
  /** With the warm-up; less than was planned when it was interrupted. */
  readonly ranMs: number;
  readonly extras: Readonly<Record<string, number>>;
}

export function benchReport(measured: Measured): BenchReport {
  const { tally, load, ranMs, cpuBefore, cpuAfter, extras } = measured;
  const { work, unit, server, nodes, documents, payloadBytes } = measured;
  const { shape, warmUpMs } = load;
  // An open loop ends when the last that was due has been answered, which may be long after.
  const longestMs = shape.kind === 'open' ? load.durationMs : Number.POSITIVE_INFINITY;
  const durationMs = Math.min(longestMs, Math.max(1, ranMs - warmUpMs));
  const cpu = cpuBetween(cpuBefore, cpuAfter);
  // What was used in the warm-up, too: it did as much of the same.
  const doneInAll = (tally.done * ranMs) / durationMs;
  const each = (ms: number | null) =>
    ms === null || doneInAll === 0 ? null : rounded((ms * 1_000) / doneInAll);
  return {
    ...{ work, unit, server, nodes, documents, payloadBytes },
    load:
      shape.kind === 'open' ? `open, ${shape.rate}/s` : `closed, ${shape.concurrency} under way`,
    durationMs: Math.round(durationMs),
    done: tally.done,
    failed: tally.failed,
    rate: rounded((tally.done * 1_000) / durationMs),
    wantedRate: shape.kind === 'open' ? shape.rate : null,
    latency: tally.latency.figures(),
    failures: Object.fromEntries(tally.failures),
    cpu: {
      nodesUs: each(cpu.nodesMs),
      brokerUs: each(cpu.brokerMs),
      selfUs: each(cpu.selfMs),
    },
    extras,
  };
}

function rounded(value: number): number {
  return Number(value.toFixed(1));
}
