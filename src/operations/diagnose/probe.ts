import { asBackplaneError, publicCode } from '../../foundation/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Engine } from '../../ports/engine.ts';
import type { RequestOptions } from '../../runtime/reports.ts';
import type { Visitor } from '../../runtime/visitor.ts';

/** What monitoring knows, in Nagios's words and numbers: 0, 1, 2, 3. */
export type ProbeState = 'ok' | 'warning' | 'critical' | 'unknown';

/** One measured number with its thresholds. */
export interface ProbeReport {
  readonly check: string;
  readonly state: ProbeState;
  readonly value: number | null;
  /** `ms`, or empty for a count. */
  readonly unit: 'ms' | '';
  readonly warn: number;
  readonly critical: number;
  /** One sentence for people. */
  readonly detail: string;
}

export interface Measured {
  readonly value: number | null;
  readonly detail: string;
  /** Something is wrong whatever the number says. */
  readonly failed?: boolean;
}

/**
 * Something that monitoring measures again and again: one file in `probes/`, one number. What it
 * is compared with can be chosen; whether more or less of it is worse cannot.
 */
export interface Probe {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  readonly unit: 'ms' | '';
  readonly worse: 'more' | 'less';
  readonly warn: number;
  readonly critical: number;
  readonly impact: 'ro' | 'rw';
  /** What it is when nobody answers: of the broker this is the very question. */
  readonly unanswered: ProbeState;
  measure(parts: ProbeParts): Promise<Measured>;
}

export interface ProbeParts {
  readonly clock: Clock;
  readonly options: RequestOptions;
  /** Drawn by chance, for names that nobody else uses. */
  token(): string;
  engine(): Promise<Engine>;
  visitor(): Promise<Visitor>;
}

export interface Thresholds {
  readonly warn?: number | undefined;
  readonly critical?: number | undefined;
}

/** Measures once and judges. Never throws what the world does: that is `unknown`, or worse. */
export async function runProbe(
  probe: Probe,
  parts: ProbeParts,
  thresholds: Thresholds,
): Promise<ProbeReport> {
  const { warn = probe.warn, critical = probe.critical } = thresholds;
  const about = { check: probe.name, unit: probe.unit, warn, critical };
  try {
    const { value, detail, failed } = await probe.measure(parts);
    const rounded = value === null ? null : Math.round(value * 100) / 100;
    const state = failed ? 'critical' : judge(probe, value, { warn, critical });
    return { ...about, state, value: rounded, detail };
  } catch (thrown) {
    const error = asBackplaneError(thrown);
    if (error.code === 'INTERNAL' || error.code === 'INTERRUPTED') throw thrown;
    const isAway = error.code === 'BACKPLANE_UNREACHABLE' || error.code === 'BACKPLANE_LOST';
    const state = isAway ? probe.unanswered : error.code === 'NO_NODES' ? 'critical' : 'unknown';
    const detail = `${error.message} [${publicCode(error.code)}]`;
    return { ...about, state, value: null, detail };
  }
}

export const exitCodeOfState: Readonly<Record<ProbeState, 0 | 1 | 2 | 3>> = {
  ok: 0,
  warning: 1,
  critical: 2,
  unknown: 3,
};

/** At the threshold is beyond it. */
function judge(
  { worse }: Probe,
  value: number | null,
  { warn, critical }: { warn: number; critical: number },
): ProbeState {
  if (value === null) return 'unknown';
  const beyond = (threshold: number) =>
    worse === 'more' ? value >= threshold : value <= threshold;
  if (beyond(critical)) return 'critical';
  return beyond(warn) ? 'warning' : 'ok';
}
