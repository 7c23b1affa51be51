import type { Clock } from '../../../ports/clock.ts';
import type { DrillNode } from '../drill-cluster.ts';

const answerMsMax = 6_000;

/** What the health page of a node says is wrong with its store, tried just now; null when nothing is. */
export async function storeTrouble(node: DrillNode, clock: Clock): Promise<string | null> {
  const late = new AbortController();
  const timer = clock.after(answerMsMax, () => late.abort());
  try {
    const answer = await fetch(`${node.address}/health/ready`, { signal: late.signal });
    const { checks = [] } = (await answer.json()) as { checks?: Check[] };
    const check = checks.find(({ name }) => name === 'store');
    return check === undefined || check.ok ? null : check.detail;
  } catch {
    // One that does not answer says nothing about its store.
    return null;
  } finally {
    timer.cancel();
  }
}

interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}
