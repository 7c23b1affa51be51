import { matchesGlob } from '../../foundation/glob.ts';
import type { Inspector, LeaseRow } from '../../ports/inspector.ts';
import type { LeaseRecord } from '../../ports/leases.ts';
import type { SessionRecord, Sessions } from '../../ports/sessions.ts';

/**
 * `held`: owned. `claimed`: taken, the store not yet fenced. `handed`: given to a node that shall
 * claim it. `orphaned`: its session is dead or unknown, and the next request takes it.
 */
export type LeaseReportState = 'held' | 'claimed' | 'handed' | 'orphaned';

export const leaseReportStates = ['held', 'claimed', 'handed', 'orphaned'] as const;

export interface LeaseReport {
  readonly doc: string;
  /** Null when the session is not remembered any more. */
  readonly nodeId: string | null;
  readonly session: string;
  readonly epoch: number;
  readonly state: LeaseReportState;
  /** When the lease ends unless its session is renewed; 0 when it has ended. */
  readonly expiresInMs: number;
}

export interface LeasesQuery {
  /** A nodeId or a session id. */
  readonly node?: string;
  readonly states?: readonly LeaseReportState[];
  /** `*` and `?` stand for any text and any character. */
  readonly doc?: string;
}

export interface LeaseSources {
  readonly inspector: Inspector;
  readonly sessions: Sessions;
}

/** Every lease with its owner, in pages; memory does not grow with their number. Writes nothing. */
export async function* listLeases(
  sources: LeaseSources,
  query: LeasesQuery = {},
): AsyncGenerator<LeaseReport[]> {
  const owners = await OwnerNames.read(sources.sessions);
  for await (const rows of sources.inspector.leases()) {
    const page: LeaseReport[] = [];
    for (const row of rows) {
      if (query.doc !== undefined && !matchesGlob(query.doc, row.doc)) continue;
      const report = reportLease(row, await owners.of(row.session));
      if (accepts(query, report)) page.push(report);
    }
    if (page.length > 0) yield page;
  }
}

function accepts(query: LeasesQuery, lease: LeaseReport): boolean {
  if (query.node !== undefined && query.node !== lease.nodeId && query.node !== lease.session) {
    return false;
  }
  const states = query.states ?? [];
  return states.length === 0 || states.includes(lease.state);
}

/** A lease joined with the session it points to; null when that session is unknown. */
export function reportLease(row: LeaseRow, owner: SessionRecord | null): LeaseReport {
  const alive = owner?.state === 'live';
  return {
    doc: row.doc,
    nodeId: owner?.description.nodeId ?? null,
    session: row.session,
    epoch: row.epoch,
    state: alive ? (row.state satisfies LeaseRecord['state']) : 'orphaned',
    expiresInMs: alive ? owner.expiresInMs : 0,
  };
}

/** The sessions as of the start; one that opened since is looked up once, when a lease names it. */
class OwnerNames {
  readonly #sessions: Sessions;
  readonly #known: Map<string, SessionRecord | null>;

  constructor(sessions: Sessions, records: readonly SessionRecord[]) {
    this.#sessions = sessions;
    this.#known = new Map(records.map((record) => [record.id, record]));
  }

  static async read(sessions: Sessions): Promise<OwnerNames> {
    return new OwnerNames(sessions, await sessions.list());
  }

  async of(session: string): Promise<SessionRecord | null> {
    const known = this.#known.get(session);
    if (known !== undefined) return known;
    const read = await this.#sessions.read(session);
    this.#known.set(session, read);
    return read;
  }
}
