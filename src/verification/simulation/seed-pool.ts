import { Worker } from 'node:worker_threads';
import { BackplaneError } from '../../foundation/errors.ts';
import type { ProfileRequest } from './fault-profile.ts';
import type { SeedResult } from './run-seed.ts';

export interface SeedRange {
  readonly from: number;
  readonly to: number;
}

export interface PoolRequest {
  readonly seeds: SeedRange;
  /** What is the same for every seed. */
  readonly shape: Omit<ProfileRequest, 'seed'>;
  readonly workers: number;
  /** Goes on after a violation. */
  readonly keepsGoing: boolean;
  readonly signal: AbortSignal;
  finished(result: SeedResult): void;
}

type Answer = { readonly result: SeedResult } | { readonly failure: string };

/** A worker's memory grows with what V8 keeps of old worlds; a fresh one now and then costs little. */
const seedsPerWorker = 500;

/** Runs seeds on several cores, each in a world of its own, until all are run or one violates a law. */
export async function runSeeds(request: PoolRequest): Promise<void> {
  const { seeds, workers, signal } = request;
  const state: PoolState = { next: seeds.from, stopped: false };
  const count = Math.max(1, Math.min(workers, seeds.to - seeds.from + 1));
  const stop = () => {
    state.stopped = true;
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    await Promise.all(Array.from({ length: count }, () => work(request, state)));
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

interface PoolState {
  next: number;
  stopped: boolean;
}

async function work(request: PoolRequest, state: PoolState): Promise<void> {
  const hasMore = () => !state.stopped && state.next <= request.seeds.to;
  while (hasMore()) {
    const worker = openWorker();
    try {
      for (let run = 0; run < seedsPerWorker && hasMore(); run++) {
        const seed = state.next;
        state.next += 1;
        const answer = await ask(worker, { ...request.shape, seed }, request.signal);
        if (answer === null) return;
        if ('failure' in answer) throw new BackplaneError('INTERNAL', answer.failure);
        request.finished(answer.result);
        if (answer.result.violations.length > 0 && !request.keepsGoing) state.stopped = true;
      }
    } finally {
      await worker.terminate();
    }
  }
}

/** Null when nobody wants to know any more. */
function ask(worker: Worker, request: ProfileRequest, signal: AbortSignal): Promise<Answer | null> {
  return new Promise((resolve, reject) => {
    const leave = () => {
      worker.removeAllListeners('message').removeAllListeners('error');
      signal.removeEventListener('abort', giveUp);
    };
    const giveUp = () => {
      leave();
      resolve(null);
    };
    worker.once('message', (answer: Answer) => {
      leave();
      resolve(answer);
    });
    worker.once('error', (error) => {
      leave();
      reject(error);
    });
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
    else worker.postMessage(request);
  });
}

function openWorker(): Worker {
  const file = import.meta.url.endsWith('.ts') ? './seed-worker.ts' : './seed-worker.js';
  return new Worker(new URL(file, import.meta.url), { execArgv: [] });
}
