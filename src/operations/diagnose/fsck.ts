import { isBackplaneError } from '../../foundation/errors.ts';
import type { Engine } from '../../ports/engine.ts';
import type { IndexFault, LeaseRow } from '../../ports/inspector.ts';
import type { LeaseRecord } from '../../ports/leases.ts';
import type { DocumentHead } from '../../ports/store.ts';
import type { DocumentDescription } from '../../runtime/controls.ts';
import type { RequestOptions } from '../../runtime/reports.ts';
import type { Visitor } from '../../runtime/visitor.ts';
import { askAnyNode } from '../inspect/ask-any-node.ts';
import { listDocs } from '../inspect/list-docs.ts';
import { findLeftRegistrations, type LeftRegistrations } from './left-registrations.ts';

/**
 * `lease-orphaned`: its session is dead or unknown. `lease-without-log`: held, and the store knows
 * no such document. `lease-ahead`: the directory names a later epoch than the store granted.
 * `lease-behind`: the store has fenced its owner off. `snapshot-ahead`: a snapshot reaches beyond
 * the log. `log-torn`: the log does not end where its head says.
 */
export type ProblemKind =
  | 'lease-orphaned'
  | 'lease-without-log'
  | 'lease-ahead'
  | 'lease-behind'
  | 'snapshot-ahead'
  | 'log-torn';

export interface FsckProblem {
  readonly kind: ProblemKind;
  readonly doc: string;
  readonly seen: string;
  /** The record to remove, if it is still exactly this; null: no command can mend it. */
  readonly remove: LeaseRecord | null;
}

export interface FsckReport {
  readonly leases: number;
  readonly documents: number;
  /** What was wrong twice, `ageMs` apart. */
  readonly problems: readonly FsckProblem[];
  /** Connections of nobody alive; the same. */
  readonly registrations: readonly LeftRegistrations[];
  /** Lists and what they list, where they contradict each other; the same. */
  readonly indexes: readonly IndexFault[];
  /** False: the engine has no lists of its own, or they may not be read. */
  readonly indexesRead: boolean;
  readonly ageMs: number;
  /** False: no node is alive, so the store could not be read. */
  readonly storeRead: boolean;
}

export interface FsckParts {
  readonly engine: Pick<Engine, 'inspector' | 'sessions' | 'leases' | 'registry'>;
  readonly visitor: Visitor;
  /** Resolves when what was found is old enough to be looked at again. */
  age(): Promise<void>;
  readonly ageMs: number;
}

const logsCheckedMax = 500;

/**
 * Compares sessions, leases, connections and logs with each other, in both directions. Whatever looks wrong is
 * looked at again after a while: what was only under way is right by then. Changes nothing.
 */
export async function fsck(parts: FsckParts, options: RequestOptions = {}): Promise<FsckReport> {
  // First: an entry of nobody keeps every listing of sessions from being read.
  const indexes = await readIndexFaults(parts.engine);
  const heads = await readHeads(parts, options, (indexes ?? []).length > 0);
  const { problems, counted } = await checkLeases(parts, heads);
  if (heads) problems.push(...(await checkLogs(parts, heads, options)));
  const left = await findLeftRegistrations(parts.engine);
  const suspects = problems.length + left.length + (indexes?.length ?? 0);
  if (suspects > 0) await parts.age();
  const confirmed = await Promise.all(problems.map((each) => confirm(parts, each, options)));
  const still = left.length > 0 ? await findLeftRegistrations(parts.engine) : [];
  const again = indexes && indexes.length > 0 ? await readIndexFaults(parts.engine) : [];
  return {
    leases: counted,
    documents: heads?.size ?? 0,
    problems: confirmed.filter((each) => each !== null),
    registrations: still.filter(({ session }) => left.some((each) => each.session === session)),
    indexes: (again ?? []).filter((each) => indexes?.some((one) => isSameFault(one, each))),
    indexesRead: indexes !== null,
    ageMs: suspects > 0 ? parts.ageMs : 0,
    storeRead: heads !== null,
  };
}

/** Null where there are none, or where it needs a right that a looker need not have. */
async function readIndexFaults({
  inspector,
}: Pick<Engine, 'inspector'>): Promise<IndexFault[] | null> {
  try {
    return (await inspector.indexFaults?.()) ?? null;
  } catch (error) {
    if (isBackplaneError(error, 'PERMISSION_DENIED')) return null;
    throw error;
  }
}

function isSameFault(one: IndexFault, other: IndexFault): boolean {
  return one.kind === other.kind && one.name === other.name && one.seen === other.seen;
}

type Head = Pick<DocumentHead, 'epoch' | 'session' | 'seq' | 'snapshotSeq'>;

async function readHeads(
  { engine, visitor }: FsckParts,
  options: RequestOptions,
  isDamaged: boolean,
): Promise<Map<string, Head> | null> {
  const heads = new Map<string, Head>();
  try {
    for await (const page of listDocs({ sessions: engine.sessions, visitor }, options)) {
      for (const { doc, ...head } of page) heads.set(doc, head);
    }
    return heads;
  } catch (error) {
    if (isBackplaneError(error, 'NO_NODES')) return null;
    if (isDamaged && isBackplaneError(error, 'FRAME_INVALID')) return null;
    throw error;
  }
}

async function checkLeases(parts: FsckParts, heads: ReadonlyMap<string, Head> | null) {
  const problems: FsckProblem[] = [];
  let counted = 0;
  const judge = leaseJudge(parts);
  for await (const page of parts.engine.inspector.leases()) {
    counted += page.length;
    for (const row of page) {
      const problem = await judge(row, heads === null ? undefined : (heads.get(row.doc) ?? null));
      if (problem) problems.push(problem);
    }
  }
  return { problems, counted };
}

/** Each session is read once in a pass. `head` undefined: the store could not be read. */
function leaseJudge({ engine }: FsckParts) {
  const known = new Map<string, Promise<string>>();
  const standing = (session: string) => {
    let found = known.get(session);
    found ??= engine.sessions.read(session).then((record) => record?.state ?? 'unknown');
    known.set(session, found);
    return found;
  };
  return async (
    { doc, ...remove }: LeaseRow,
    head: Head | null | undefined,
  ): Promise<FsckProblem | null> => {
    const { session, epoch, state } = remove;
    const tell = (kind: ProblemKind, seen: string) => ({ kind, doc, seen, remove });
    const owner = await standing(session);
    if (owner !== 'live') return tell('lease-orphaned', `its session ${session} is ${owner}`);
    if (state !== 'held' || head === undefined) return null;
    if (head === null)
      return tell('lease-without-log', `held at epoch ${epoch}; the store knows no such document`);
    if (epoch > head.epoch)
      return tell('lease-ahead', `held at epoch ${epoch}; the store granted ${head.epoch}`);
    if (epoch < head.epoch || head.session !== session) {
      return tell(
        'lease-behind',
        `held by ${session} at epoch ${epoch}; the store was fenced by ${head.session} at ${head.epoch}`,
      );
    }
    return null;
  };
}

async function checkLogs(
  parts: FsckParts,
  heads: ReadonlyMap<string, Head>,
  options: RequestOptions,
): Promise<FsckProblem[]> {
  const problems: FsckProblem[] = [];
  let read = 0;
  for (const [doc, { seq, snapshotSeq }] of heads) {
    if (snapshotSeq > seq) {
      const seen = `its snapshot reaches ${snapshotSeq}, its log ${seq}`;
      problems.push({ kind: 'snapshot-ahead', doc, seen, remove: null });
    }
    if (seq === 0 || read >= logsCheckedMax) continue;
    read += 1;
    const torn = await tornEnd(parts, doc, options);
    if (torn !== null) problems.push({ kind: 'log-torn', doc, seen: torn, remove: null });
  }
  return problems;
}

/** What is wrong with the end of a log; null when it is as its head says. */
async function tornEnd(
  parts: FsckParts,
  doc: string,
  options: RequestOptions,
): Promise<string | null> {
  try {
    return await compareEnd(parts, doc, options);
  } catch (error) {
    // The node that read it noticed by itself.
    if (isBackplaneError(error, 'LOG_REWOUND', 'STORE_CORRUPT')) return error.message;
    throw error;
  }
}

/** Null when the last op is there, and its chain is the head's. */
async function compareEnd(
  { engine, visitor }: FsckParts,
  doc: string,
  options: RequestOptions,
): Promise<string | null> {
  const door = { sessions: engine.sessions, visitor };
  const described = (await askAnyNode(
    door,
    'doc.describe',
    { doc },
    options,
  )) as DocumentDescription;
  const params = { doc, after: Math.max(0, described.seq - 1), limit: 1 };
  const { ops } = (await askAnyNode(door, 'doc.read', params, options)) as {
    ops: { seq: number; chain: string }[];
  };
  const last = ops[0];
  if (!last) return `its head says ${described.seq}, and the op is not there`;
  // Ops that came in between make it longer, which is no problem.
  if (last.seq === described.seq && last.chain !== described.chain) {
    return `its last op, ${last.seq}, is another than the one its head names`;
  }
  return null;
}

/** The same problem, still there; null when it was only under way. */
async function confirm(
  parts: FsckParts,
  problem: FsckProblem,
  options: RequestOptions,
): Promise<FsckProblem | null> {
  const { doc, remove } = problem;
  if (remove === null) {
    if (problem.kind === 'snapshot-ahead') return problem;
    return (await tornEnd(parts, doc, options)) === null ? null : problem;
  }
  const now = await parts.engine.leases.read(doc);
  const isSame =
    now !== null &&
    now.session === remove.session &&
    now.epoch === remove.epoch &&
    now.state === remove.state;
  if (!isSame) return null;
  if (problem.kind === 'lease-orphaned') return leaseJudge(parts)({ doc, ...now }, undefined);
  return leaseJudge(parts)({ doc, ...now }, await headOf(parts, doc, options));
}

async function headOf(
  { engine, visitor }: FsckParts,
  doc: string,
  options: RequestOptions,
): Promise<Head | null> {
  try {
    const door = { sessions: engine.sessions, visitor };
    const found = (await askAnyNode(door, 'doc.describe', { doc }, options)) as DocumentDescription;
    return { ...found, session: found.writer };
  } catch (error) {
    if (isBackplaneError(error, 'DOCUMENT_UNKNOWN')) return null;
    throw error;
  }
}
