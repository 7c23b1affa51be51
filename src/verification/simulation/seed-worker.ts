import { parentPort } from 'node:worker_threads';
import type { ProfileRequest } from './fault-profile.ts';
import { runSeed } from './run-seed.ts';

// A worker runs one world after another: whoever started it says which.
parentPort?.on('message', async (request: ProfileRequest) => {
  try {
    parentPort?.postMessage({ result: await runSeed(request) });
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    parentPort?.postMessage({ failure: `seed ${request.seed}: ${message}` });
  }
});
