import { availableParallelism } from 'node:os';
import type { Clock } from '../../ports/clock.ts';
import type { ProfileRequest } from './fault-profile.ts';
import { runSeed, type SeedListener, type SeedResult } from './run-seed.ts';
import { runSeeds, type SeedRange } from './seed-pool.ts';
import { type SimReport, SimTally } from './sim-report.ts';

export interface SimulationRequest {
  readonly seeds: SeedRange;
  readonly shape: Omit<ProfileRequest, 'seed'>;
  readonly keepsGoing: boolean;
  readonly workers: number | null;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Told after each seed. */
  progress(progress: SimProgress): void;
}

export interface SimProgress {
  readonly seedsDone: number;
  readonly seedsWanted: number;
  readonly seedsPerSecond: number;
  readonly simulatedHours: number;
  readonly violations: number;
}

/** Runs a row of seeds on all cores. */
export async function simulate(request: SimulationRequest): Promise<SimReport> {
  const { seeds, shape, keepsGoing, signal, clock, progress } = request;
  const tally = new SimTally();
  const startedMs = clock.monotonicMs();
  await runSeeds({
    ...{ seeds, shape, keepsGoing, signal },
    workers: request.workers ?? availableParallelism(),
    finished: (result: SeedResult) => {
      tally.add(result, { ...shape, seed: result.seed });
      const tookMs = clock.monotonicMs() - startedMs;
      progress({
        seedsDone: tally.seeds,
        seedsWanted: seeds.to - seeds.from + 1,
        seedsPerSecond: tally.seeds / (tookMs / 1_000),
        simulatedHours: tally.simulatedHours,
        violations: tally.violations,
      });
    },
  });
  return tally.report(clock.monotonicMs() - startedMs);
}

/** Runs one seed here, with somebody who listens to everything. */
export async function simulateOne(
  request: ProfileRequest,
  clock: Clock,
  listener: SeedListener,
): Promise<SimReport> {
  const tally = new SimTally();
  const startedMs = clock.monotonicMs();
  tally.add(await runSeed(request, { hashed: true, listener }), request);
  return tally.report(clock.monotonicMs() - startedMs);
}
