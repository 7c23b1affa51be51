import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { MutantOutcome, MutantRequest } from './mutant-run.ts';

const run = promisify(execFile);
const program = fileURLToPath(new URL('./mutant-run.ts', import.meta.url));

/** Runs seeds of a mutant, in a process of its own, until one is found that violates a law. */
export async function mutantOutcome(request: MutantRequest): Promise<MutantOutcome> {
  const { stdout } = await run(process.execPath, [program, JSON.stringify(request)]);
  return JSON.parse(stdout);
}
