import type { HistoryEvent } from '../history-event.ts';
import { type CoverageName, coverageNames } from './coverage.ts';
import type { ProfileRequest } from './fault-profile.ts';
import type { SeedResult } from './run-seed.ts';

/** What a row of seeds showed. */
export interface SimReport {
  readonly outcome: 'holds' | 'violated' | 'inconclusive';
  readonly reason: string | null;
  readonly seedsRun: number;
  readonly simulatedHours: number;
  readonly tookMs: number;
  readonly seedsPerSecond: number;
  /** Simulated hours per hour, on all cores together. */
  readonly timesRealTime: number;
  readonly acknowledged: number;
  readonly faults: number;
  /** What the worlds went through, added up. */
  readonly coverage: Readonly<Record<CoverageName, number>>;
  /** Seeds in which no fault took effect, or nothing was acknowledged: they prove nothing. */
  readonly ineffective: readonly number[];
  readonly violations: readonly ViolationReport[];
  /** Of a single seed: the same for two runs exactly when their histories are. */
  readonly digest: string | null;
}

export interface ViolationReport {
  readonly seed: number;
  readonly law: string;
  readonly claim: string;
  readonly events: readonly HistoryEvent[];
  /** The command line that shows it again. */
  readonly replay: string;
}

const ineffectiveNamed = 100;

/** Adds up results as they come, in any order. */
export class SimTally {
  readonly #results = { seeds: 0, simulatedMs: 0, acknowledged: 0, faults: 0 };
  readonly #coverage = new Map<CoverageName, number>();
  readonly #ineffective: number[] = [];
  readonly #violations: ViolationReport[] = [];
  #digest: string | null = null;

  get seeds(): number {
    return this.#results.seeds;
  }

  get simulatedHours(): number {
    return this.#results.simulatedMs / 3_600_000;
  }

  get violations(): number {
    return this.#violations.length;
  }

  add(result: SeedResult, request: ProfileRequest): void {
    const sums = this.#results;
    sums.seeds += 1;
    sums.simulatedMs += result.simulatedMs;
    sums.acknowledged += result.acknowledged;
    sums.faults += result.faults;
    for (const name of coverageNames) {
      this.#coverage.set(name, (this.#coverage.get(name) ?? 0) + result.coverage[name]);
    }
    if (result.faults === 0 || result.acknowledged === 0) this.#ineffective.push(result.seed);
    this.#digest = result.digest;
    for (const { law, counterexamples } of result.violations) {
      const { claim = law, events = [] } = counterexamples[0] ?? {};
      const replay = replayLine({ ...request, seed: result.seed });
      this.#violations.push({ seed: result.seed, law, claim, events, replay });
    }
  }

  report(tookMs: number): SimReport {
    const { seeds, simulatedMs, acknowledged, faults } = this.#results;
    const violations = this.#violations.toSorted((a, b) => a.seed - b.seed);
    const ineffective = this.#ineffective.toSorted((a, b) => a - b);
    const coverage = coverageNames.map((name) => [name, this.#coverage.get(name) ?? 0]);
    return {
      ...this.#conclusion(),
      seedsRun: seeds,
      simulatedHours: simulatedMs / 3_600_000,
      tookMs,
      seedsPerSecond: seeds / (tookMs / 1_000),
      timesRealTime: simulatedMs / tookMs,
      acknowledged,
      faults,
      coverage: Object.fromEntries(coverage) as Record<CoverageName, number>,
      ineffective: ineffective.slice(0, ineffectiveNamed),
      violations,
      digest: seeds === 1 ? this.#digest : null,
    };
  }

  #conclusion(): Pick<SimReport, 'outcome' | 'reason'> {
    if (this.#violations.length > 0) {
      const laws = [...new Set(this.#violations.map(({ law }) => law))].join(', ');
      return { outcome: 'violated', reason: `violated: ${laws}` };
    }
    const { seeds } = this.#results;
    const without = this.#ineffective.length;
    if (seeds === 0) return { outcome: 'inconclusive', reason: 'no seed was run' };
    if (without === seeds) {
      return { outcome: 'inconclusive', reason: 'no fault took effect, or nothing was written' };
    }
    const reason = without === 0 ? null : `${without} of ${seeds} seeds had no effective fault`;
    return { outcome: 'holds', reason };
  }
}

/** The one line that shows a run again. */
export function replayLine({
  seed,
  hours,
  nodes,
  documents,
  peers,
  faults,
}: ProfileRequest): string {
  const parts = [`backplane sim --seed ${seed} --hours ${hours}`];
  if (nodes !== undefined) parts.push(`--nodes ${nodes}`);
  if (documents !== undefined) parts.push(`--documents ${documents}`);
  if (peers !== undefined) parts.push(`--peers ${peers}`);
  for (const name of faults ?? []) parts.push(`--fault ${name}`);
  return `${parts.join(' ')} --trace`;
}
