import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import type {
  FaultName,
  ProfileRequest,
} from '../../../src/verification/simulation/fault-profile.ts';

/** A mechanism taken out of the product: in one file, some text is replaced by another. */
export interface Mutation {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

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
const applied = new Set<Mutation>();

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const mine = request.mutations.filter(({ file }) => url.endsWith(`/src/${file}`));
    if (mine.length === 0) return loaded;
    let source = Buffer.from(loaded.source as Uint8Array).toString('utf8');
    for (const mutation of mine) {
      if (source.split(mutation.from).length !== 2) {
        throw new Error(`${fileURLToPath(url)} has not exactly one place with: ${mutation.from}`);
      }
      source = source.replace(mutation.from, () => mutation.to);
      applied.add(mutation);
    }
    return { ...loaded, source };
  },
});

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
