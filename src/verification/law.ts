import type { HistoryEvent } from './history-event.ts';

export type Outcome = 'holds' | 'violated' | 'unknown';

/** The few events that prove a violation, in their order. */
export interface Counterexample {
  readonly claim: string;
  readonly events: readonly HistoryEvent[];
}

export interface Verdict {
  readonly outcome: Outcome;
  /** How many things were judged. */
  readonly checked: number;
  readonly violations: number;
  /** What was found, or why nothing could be. */
  readonly detail: string;
  /** The first ones. */
  readonly counterexamples: readonly Counterexample[];
}

/** What a law knows when the history is over. */
export interface HistoryEnd {
  readonly atMs: number;
}

/**
 * A promise, and how to judge it: sees every event once, in order, and never decides what the
 * history does not say. Without the events it needs its verdict is `unknown`.
 */
export interface Law {
  readonly name: string;
  readonly promise: string;
  observe(event: HistoryEvent): void;
  /** How many were found so far; some show only when the history is over. */
  readonly violations: number;
  verdict(end: HistoryEnd): Verdict;
}

const counterexamplesKept = 3;

/** What a law has found so far. */
export class Findings {
  checked = 0;
  violations = 0;
  readonly #counterexamples: Counterexample[] = [];

  /** A violation; absent events are left out, and the rest put in order. */
  violated(claim: string, ...events: (HistoryEvent | null | undefined)[]): void {
    this.violations += 1;
    if (this.#counterexamples.length === counterexamplesKept) return;
    const known = events.filter((event) => event !== null && event !== undefined);
    known.sort((a, b) => a.line - b.line);
    this.#counterexamples.push({ claim, events: known });
  }

  /** Violated if anything was; else unknown for that reason, if there is one; else it holds. */
  verdict(detail: string, unknownBecause: string | null): Verdict {
    const { checked, violations } = this;
    const outcome = violations > 0 ? 'violated' : unknownBecause === null ? 'holds' : 'unknown';
    return {
      outcome,
      checked,
      violations,
      detail: outcome === 'unknown' ? (unknownBecause as string) : detail,
      counterexamples: this.#counterexamples,
    };
  }
}

/** `3 ops`, `1 op`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** The value of a key, made the first time it is asked for. */
export function entryOf<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
