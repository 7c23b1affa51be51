import { SeededRandom } from '../seeded-random.ts';
import { drawProfile, type FaultName, type ProfileRequest } from './fault-profile.ts';
import { runSeed, type SeedResult } from './run-seed.ts';

export interface Shrunk {
  readonly request: ProfileRequest;
  readonly result: SeedResult;
  readonly attempts: number;
}

/** An hour that cannot hold a storm and a calm proves nothing. */
const hoursLeast = 0.06;

/**
 * Looks for a smaller run that violates the same law: fewer faults, nodes, peers and documents, and a
 * shorter one. Every step that still fails is kept, until none does or the attempts are used up.
 */
export async function shrinkRun(
  request: ProfileRequest,
  law: string,
  options: { readonly attemptsMax: number; readonly signal: AbortSignal },
): Promise<Shrunk | null> {
  const fails = async (smaller: ProfileRequest): Promise<SeedResult | null> => {
    const result = await runSeed(smaller);
    return result.violations.some((violation) => violation.law === law) ? result : null;
  };
  let attempts = 1;
  const first = await fails(request);
  if (!first) return null;
  let best = { request: named(request), result: first };
  for (let found = true; found; ) {
    found = false;
    for (const smaller of steps(best.request)) {
      if (attempts >= options.attemptsMax || options.signal.aborted) return { ...best, attempts };
      attempts += 1;
      const result = await fails(smaller);
      if (!result) continue;
      best = { request: smaller, result };
      found = true;
      break;
    }
  }
  return { ...best, attempts };
}

/** With everything said that the seed would draw, so that it can be made less. */
function named(request: ProfileRequest): ProfileRequest {
  const profile = drawProfile(request, new SeededRandom(request.seed));
  const { nodes, documents, peers } = profile;
  return {
    ...request,
    nodes,
    documents,
    peers,
    faults: Object.keys(profile.faults) as FaultName[],
  };
}

function* steps(request: ProfileRequest): Generator<ProfileRequest> {
  const { hours, nodes = 1, documents = 1, peers = 1, faults = [] } = request;
  for (const share of [0.25, 0.5, 0.75]) {
    if (hours * share >= hoursLeast) yield { ...request, hours: rounded(hours * share) };
  }
  const half = Math.ceil(faults.length / 2);
  if (half < faults.length) {
    yield { ...request, faults: faults.slice(0, half) };
    yield { ...request, faults: faults.slice(half) };
  }
  if (faults.length > 1) {
    for (const name of faults) {
      yield { ...request, faults: faults.filter((other) => other !== name) };
    }
  }
  if (nodes > 1) yield { ...request, nodes: nodes - 1 };
  if (documents > 1) yield { ...request, documents: documents - 1 };
  if (peers > 1) yield { ...request, peers: peers - 1 };
}

function rounded(hours: number): number {
  return Number(hours.toFixed(3));
}
