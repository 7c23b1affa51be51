import type { Evidence } from './evidence.ts';

/** The worst first. `note` is worth knowing and no reason to get up. */
export type Severity = 'critical' | 'warning' | 'note';

/** One thing that is wrong. */
export interface Finding {
  /** `BP-CHECK-EVICTION`: `backplane help` explains it. */
  readonly code: string;
  readonly severity: Severity;
  readonly seen: string;
  readonly why: string;
  /** Commands to paste, one after the other. */
  readonly mend: readonly string[];
  /** What is left to a person, after the commands or in their place; null when they suffice. */
  readonly advice: string | null;
}

/** What a check saw, before it has its code and its why. */
export interface Sight {
  readonly severity: Severity;
  readonly seen: string;
  readonly mend: readonly string[];
  readonly advice?: string;
}

/** It could not be looked at. */
export interface Skipped {
  readonly skipped: string;
  /** Nobody asked for it; as against what may not be looked at. */
  readonly unasked?: boolean;
}

/**
 * One question to the evidence, with one idea of what can be wrong. Pure: the same evidence gives
 * the same answer, on whatever machine it is read.
 */
export interface Check {
  readonly code: string;
  /** What is the case when all is well. */
  readonly title: string;
  readonly why: string;
  /** How it is mended, in general: for the help. */
  readonly remedy: string;
  look(evidence: Evidence): readonly Sight[] | Skipped;
}

/** `EVICTION` as people see it. */
export function checkCode(check: Pick<Check, 'code'>): string {
  return `BP-CHECK-${check.code}`;
}

/** What was not read, with the line that would allow it. */
export function unread(evidence: Evidence, what: string): Skipped {
  const found = evidence.broker?.unread.find((each) => each.what === what);
  if (!evidence.broker) return { skipped: 'this engine has no server to look at' };
  const remedy = found?.remedy ?? null;
  return {
    skipped: remedy === null ? `the server does not tell: ${what}` : `to see it: ${remedy}`,
  };
}
