import type { Budgets } from './budgets.ts';
import type { HistoryEvent } from './history-event.ts';
import { HistoryReader } from './history-reader.ts';
import { counted, type Law, type Outcome } from './law.ts';
import { lawsOf } from './law-book.ts';

export interface LawReport {
  readonly law: string;
  readonly promise: string;
  readonly outcome: Outcome;
  readonly checked: number;
  readonly violations: number;
  readonly detail: string;
  readonly counterexamples: readonly CounterexampleReport[];
}

export interface CounterexampleReport {
  readonly claim: string;
  readonly events: readonly EventReport[];
}

/** An event as it stands in the file. */
export interface EventReport {
  readonly line: number;
  /** Since the first event. */
  readonly atMs: number;
  readonly event: Readonly<Record<string, unknown>>;
}

export interface HistoryReport {
  readonly outcome: 'holds' | 'violated' | 'inconclusive';
  /** Why it is inconclusive, or what to know about it. */
  readonly reason: string | null;
  readonly events: number;
  readonly acknowledged: number;
  readonly faults: number;
  readonly durationMs: number;
  readonly budgets: Budgets;
  readonly laws: readonly LawReport[];
}

/** A history as it comes in, and what to call it. */
export interface HistorySource {
  readonly name: string;
  readonly pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** What is asked of a history. */
export interface Demands {
  readonly budgets: Budgets;
  /** Laws that it must have the data for. */
  readonly required?: readonly string[];
}

/** Checks a history against every law. Fails with HISTORY_INVALID. */
export async function judgeHistory(
  { name, pieces }: HistorySource,
  { budgets, required = [] }: Demands,
): Promise<HistoryReport> {
  const reader = new HistoryReader(name);
  const laws = lawsOf(budgets);
  const counts = { acknowledged: 0, faults: 0 };
  for await (const piece of pieces) {
    for (const event of reader.push(piece)) {
      if (event.ev === 'op.ok') counts.acknowledged += 1;
      else if (event.ev === 'fault.start') counts.faults += 1;
      for (const law of laws) law.observe(event);
    }
  }
  reader.end();
  const { events, startMs, endMs } = reader;
  const reports = laws.map((law) => reportOf(law, { startMs, endMs }));
  return {
    ...conclusion(reports, required, { events, ...counts }),
    events,
    ...counts,
    durationMs: endMs - startMs,
    budgets,
    laws: reports,
  };
}

function conclusion(
  laws: readonly LawReport[],
  required: readonly string[],
  { events, acknowledged }: { readonly events: number; readonly acknowledged: number },
): Pick<HistoryReport, 'outcome' | 'reason'> {
  const withOutcome = (outcome: Outcome) => laws.filter((law) => law.outcome === outcome).length;
  const [violated, unknown] = [withOutcome('violated'), withOutcome('unknown')];
  if (violated > 0) {
    const reason = `${counted(violated, 'law is', 'laws are')} violated`;
    return { outcome: 'violated', reason };
  }
  if (events === 0) return { outcome: 'inconclusive', reason: 'nothing happened' };
  if (unknown === laws.length) {
    return { outcome: 'inconclusive', reason: 'the data for every law are missing' };
  }
  if (acknowledged === 0) return { outcome: 'inconclusive', reason: 'nothing was acknowledged' };
  const missing = laws.filter(
    ({ law, outcome }) => outcome === 'unknown' && required.includes(law),
  );
  if (missing.length > 0) {
    const names = missing.map(({ law }) => law).join(', ');
    return { outcome: 'inconclusive', reason: `the data for ${names} are missing` };
  }
  const reason = unknown === 0 ? null : `${counted(unknown, 'law')} could not be judged`;
  return { outcome: 'holds', reason };
}

function reportOf(law: Law, time: { startMs: number; endMs: number }): LawReport {
  const { counterexamples, ...verdict } = law.verdict({ atMs: time.endMs });
  return {
    law: law.name,
    promise: law.promise,
    ...verdict,
    counterexamples: counterexamples.map(({ claim, events }) => ({
      claim,
      events: events.map((event) => eventReport(event, time.startMs)),
    })),
  };
}

function eventReport({ line, atMs, ...event }: HistoryEvent, startMs: number): EventReport {
  return { line, atMs: atMs - startMs, event };
}
