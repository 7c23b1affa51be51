import type {
  FaultName,
  ProfileRequest,
} from '../../../src/verification/simulation/fault-profile.ts';
import { applyMutations, type Mutation } from './apply-mutations.ts';

export type { Mutation };

export interface MutantRequest {
  readonly mutations: readonly Mutation[];
  /** The text of a story to play instead of seeds. */
  readonly story?: string;
  readonly seeds: number;
  readonly shape: {
    readonly nodes: number;
    readonly hours: number;
    readonly faults?: readonly FaultName[];
    readonly documents?: number;
    readonly peers?: number;
  };
  /** Only this one counts. */
  readonly law?: string;
  /** How often to try to make the run that fails smaller. */
  readonly shrinkAttempts?: number;
}

export interface MutantOutcome {
  /** Null when no seed found it out. */
  readonly seed: number | null;
  /** What a story goes without. */
  readonly missing?: string | null;
  readonly laws: readonly string[];
  readonly claim: string | null;
  /** The smaller run, when one was asked for. */
  readonly shrunk?: { readonly request: ProfileRequest; readonly laws: readonly string[] } | null;
}

const request: MutantRequest = JSON.parse(process.argv[2] ?? '{}');
const applied = applyMutations(request.mutations);

const { runSeed } = await import('../../../src/verification/simulation/run-seed.ts');
const { playScript } = await import('./scenario-script.ts');
if (applied.size !== request.mutations.length) throw new Error('a mutation was not applied');
let outcome: MutantOutcome = { seed: null, laws: [], claim: null };
if (request.story !== undefined) {
  const { missing, violated } = await playScript(request.story);
  const laws = violated.map((claim) => claim.replace(/:.*/, ''));
  outcome = { seed: null, laws, claim: violated[0] ?? null, missing };
}
for (let seed = 1; seed <= request.seeds; seed++) {
  const { violations } = await runSeed({ ...request.shape, seed });
  const found = violations.filter(({ law }) => !request.law || law === request.law);
  const [first] = found;
  if (!first) continue;
  const laws = violations.map(({ law }) => law);
  outcome = { seed, laws, claim: first.counterexamples[0]?.claim ?? null };
  if (request.shrinkAttempts) outcome = { ...outcome, shrunk: await smaller(seed, first.law) };
  break;
}

async function smaller(seed: number, law: string): Promise<MutantOutcome['shrunk']> {
  const { shrinkRun } = await import('../../../src/verification/simulation/shrink-run.ts');
  const options = {
    attemptsMax: request.shrinkAttempts ?? 0,
    signal: new AbortController().signal,
  };
  const shrunk = await shrinkRun({ ...request.shape, seed }, law, options);
  if (!shrunk) return null;
  return { request: shrunk.request, laws: shrunk.result.violations.map((each) => each.law) };
}

process.stdout.write(`${JSON.stringify(outcome)}\n`);
