import { type Check, checkCode, type Finding, type Severity } from './check.ts';
import { checks } from './checks.ts';
import type { Evidence } from './evidence.ts';

export type Verdict = 'ok' | 'warning' | 'critical';

/** What is wrong with a cluster, and what to type. */
export interface DoctorReport {
  readonly verdict: Verdict;
  readonly takenAt: string;
  readonly url: string;
  readonly nodes: number;
  /** The worst first. */
  readonly findings: readonly Finding[];
  readonly checks: readonly CheckResult[];
}

export interface CheckResult {
  readonly code: string;
  readonly title: string;
  /** `skipped`: it may not be looked at. `unasked`: it needs a flag. */
  readonly result: 'ok' | 'skipped' | 'unasked' | Severity;
  /** Why it was not looked at; else null. */
  readonly detail: string | null;
}

const ranks: Readonly<Record<Severity, number>> = { critical: 0, warning: 1, note: 2 };

/** Judges the evidence by every check. Pure. */
export function diagnose(evidence: Evidence): DoctorReport {
  const results = checks.map((check) => ({ check, outcome: check.look(evidence) }));
  const findings = results.flatMap(({ check, outcome }): Finding[] =>
    'skipped' in outcome
      ? []
      : outcome.map((sight) => ({
          ...{ code: checkCode(check), advice: null, ...sight, why: check.why },
        })),
  );
  findings.sort((a, b) => ranks[a.severity] - ranks[b.severity]);
  const worst = findings[0]?.severity ?? 'note';
  return {
    verdict: worst === 'note' ? 'ok' : worst,
    takenAt: evidence.takenAt,
    url: evidence.target.url,
    nodes: evidence.sessions.filter(({ state }) => state === 'live').length,
    findings,
    checks: results.map(({ check, outcome }) => resultOf(check, outcome)),
  };
}

/** Nagios's codes: 0 ok, 1 warning, 2 critical. */
export function exitCodeOfVerdict(verdict: Verdict): 0 | 1 | 2 {
  return verdict === 'ok' ? 0 : verdict === 'warning' ? 1 : 2;
}

function resultOf(check: Check, outcome: ReturnType<Check['look']>): CheckResult {
  const about = { code: checkCode(check), title: check.title };
  if ('skipped' in outcome) {
    return { ...about, result: outcome.unasked ? 'unasked' : 'skipped', detail: outcome.skipped };
  }
  const worst = outcome.map(({ severity }) => severity).sort((a, b) => ranks[a] - ranks[b])[0];
  return { ...about, result: worst ?? 'ok', detail: null };
}
