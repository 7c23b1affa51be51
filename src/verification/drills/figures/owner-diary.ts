import { entryOf } from '../../law.ts';
import type { DocumentLane, OwnerSpan } from './run-series.ts';

interface Ownership {
  readonly doc: string;
  readonly spans: Owned[];
  epoch: number;
  /** Null while nobody owns it. */
  session: string | null;
  lastSession: string | null;
  node: number;
  changes: number;
  /** How long nobody owned it at worst. */
  gapMs: number;
  lostMs: number;
  isCut: boolean;
}

type Owned = { -readonly [Key in keyof OwnerSpan]: OwnerSpan[Key] };

const lanesMax = 20;
const spansKept = 100;
/** Of more documents than this only the first are remembered in detail. */
const documentsDetailed = 1_000;

/**
 * Who owned what, from every sign of ownership with an epoch that was not seen before. An owner
 * whose session ended owns nothing any more, though nobody may have taken over yet.
 */
export class OwnerDiary {
  readonly #ownerships = new Map<string, Ownership>();
  /** What each session owns. */
  readonly #held = new Map<string, Set<Ownership>>();
  readonly #counts: number[] = [];
  takeovers = 0;

  get documents(): number {
    return this.#ownerships.size;
  }

  /** How many documents each node owns, by its place. */
  counts(): readonly number[] {
    return Array.from(this.#counts, (count) => count ?? 0);
  }

  /** Answers whether that is news. */
  owns(
    claim: { doc: string; session: string; epoch: number },
    node: number,
    atMs: number,
  ): boolean {
    const { doc, session, epoch } = claim;
    const ownership = entryOf(this.#ownerships, doc, () => newOwnership(doc));
    if (epoch <= ownership.epoch) return false;
    ownership.epoch = epoch;
    if (ownership.session === session) return false;
    const { lastSession } = ownership;
    if (lastSession !== null && lastSession !== session) {
      this.takeovers += 1;
      ownership.changes += 1;
      if (ownership.session === null) {
        ownership.gapMs = Math.max(ownership.gapMs, atMs - ownership.lostMs);
      }
    }
    this.#release(ownership, atMs);
    this.#take(ownership, { session, epoch, node }, atMs);
    return true;
  }

  /** Answers whether it owned anything. */
  ended(session: string, atMs: number): boolean {
    const held = this.#held.get(session);
    if (held === undefined) return false;
    for (const ownership of [...held]) this.#release(ownership, atMs);
    this.#held.delete(session);
    return true;
  }

  /** The documents with the most to tell, with times since a start. */
  lanes(focus: ReadonlySet<string>, startMs: number): DocumentLane[] {
    const [first] = this.#ownerships.keys();
    const rank = ({ doc, changes, gapMs }: Ownership) =>
      // Faults on "the owner" are done to that of the first document.
      [focus.has(doc) ? 1 : 0, doc === first ? 1 : 0, changes, gapMs] as const;
    const detailed = [...this.#ownerships.values()].filter(({ spans }) => spans.length > 0);
    const ranked = detailed.sort((a, b) => byRank(rank(b), rank(a)));
    return ranked.slice(0, lanesMax).map(({ doc, spans, isCut }) => ({
      doc,
      isCut,
      owners: spans.map((each) => since(each, startMs)),
    }));
  }

  #take(
    ownership: Ownership,
    { session, epoch, node }: { session: string; epoch: number; node: number },
    atMs: number,
  ): void {
    Object.assign(ownership, { session, lastSession: session, node });
    entryOf(this.#held, session, () => new Set<Ownership>()).add(ownership);
    this.#counts[node] = (this.#counts[node] ?? 0) + 1;
    const { spans } = ownership;
    if (spans.length === 0 && this.#ownerships.size > documentsDetailed) return;
    spans.push({ fromMs: atMs, toMs: null, node, epoch });
    if (spans.length > spansKept) {
      spans.shift();
      ownership.isCut = true;
    }
  }

  #release(ownership: Ownership, atMs: number): void {
    const { session, spans, node } = ownership;
    if (session === null) return;
    this.#held.get(session)?.delete(ownership);
    this.#counts[node] = (this.#counts[node] ?? 1) - 1;
    const last = spans.at(-1);
    if (last !== undefined) last.toMs ??= atMs;
    ownership.session = null;
    ownership.lostMs = atMs;
  }
}

function newOwnership(doc: string): Ownership {
  return {
    ...{ doc, spans: [], epoch: 0, session: null, lastSession: null, node: 0 },
    ...{ changes: 0, gapMs: 0, lostMs: 0, isCut: false },
  };
}

function since({ fromMs, toMs, node, epoch }: OwnerSpan, startMs: number): OwnerSpan {
  return { fromMs: fromMs - startMs, toMs: toMs === null ? null : toMs - startMs, node, epoch };
}

function byRank(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at < 0 ? 0 : (a[at] as number) - (b[at] as number);
}
