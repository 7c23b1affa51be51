import type { CounterName } from '../../runtime/counters.ts';
import type { NodePulse } from '../../runtime/health/node-pulse.ts';
import { countsSince } from './latency-percentile.ts';

/** Counters that only grow when something went wrong. */
export const troubleCounters = [
  'documents_lost_total',
  'documents_quarantined_total',
  'appends_refused_total',
  'appends_ambiguous_total',
  'snapshots_failed_total',
  'sessions_lost_total',
  'sessions_fenced_total',
  'renewals_failed_total',
  'requests_late_total',
  'gaps_replayed_total',
  'frames_foreign_total',
  'frames_version_total',
  'frames_malformed_total',
  'subscriber_deaf_total',
  'sweep_failures_total',
] as const satisfies readonly CounterName[];

const windowMs = 10_000;

interface Reading {
  readonly atMs: number;
  readonly pulse: NodePulse;
}

/** What a session's counters say when they are read again and again. */
export class NodeMeter {
  /** The last ten seconds, the oldest first. */
  #readings: Reading[] = [];

  read(pulse: NodePulse, atMs: number): void {
    this.#readings.push({ atMs, pulse });
    while (atMs - this.#readings[0]!.atMs > windowMs) this.#readings.shift();
  }

  /** Per second, since the reading before, without what the reading itself has counted. */
  rate(name: CounterName, ownCount = 0): number | null {
    const [before, now] = this.#readings.slice(-2);
    if (!before || !now || now.atMs <= before.atMs) return null;
    const grown = countOf(now.pulse, name) - countOf(before.pulse, name) - ownCount;
    return round(Math.max(0, grown) / ((now.atMs - before.atMs) / 1_000));
  }

  /** Those of the last ten seconds; since its start when it was never read before. */
  latencies(): number[] {
    const now = this.#readings.at(-1);
    if (!now || this.#readings.length < 2) return [];
    return countsSince(now.pulse.latencies, this.#readings[0]!.pulse.latencies);
  }

  /** What went wrong since the reading before. */
  troubles(): Record<string, number> {
    const [before, now] = this.#readings.slice(-2);
    if (!before || !now) return {};
    const grown = troubleCounters.map((name) => {
      return [name, countOf(now.pulse, name) - countOf(before.pulse, name)] as const;
    });
    return Object.fromEntries(grown.filter(([, count]) => count > 0));
  }
}

function countOf({ counters }: NodePulse, name: CounterName): number {
  return counters[name] ?? 0;
}

/** Two digits behind the point are more than anybody reads. */
export function round(value: number): number {
  return Math.round(value * 100) / 100;
}
