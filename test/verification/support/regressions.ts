import { readFileSync } from 'node:fs';
import type { ProfileRequest } from '../../../src/verification/simulation/fault-profile.ts';
import type { Mutation } from './mutant-run.ts';

/** A violation that a seed found, and that was mended. */
export interface Regression {
  /** What was run when it was found. What a seed draws changes with every new fault or load. */
  readonly found: ProfileRequest;
  readonly law: string;
  readonly story: string;
  /** The same, told step by step, so that it stays the same; null while only the seed is known. */
  readonly scenario?: string | null;
  /** The mend, taken out: without it the scenario violates the law. */
  readonly mutations?: readonly Mutation[];
}

export const regressions: readonly Regression[] = JSON.parse(
  readFileSync(new URL('../regressions.json', import.meta.url), 'utf8'),
);

export function scenarioText(name: string): string {
  return readFileSync(new URL(`../scenarios/${name}`, import.meta.url), 'utf8');
}
