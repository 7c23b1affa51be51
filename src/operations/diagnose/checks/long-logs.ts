import type { Check } from '../check.ts';
import { clusterDials } from '../cluster-facts.ts';
import { backplane } from '../paste-command.ts';

const shownMax = 5;

/** Whoever takes such a document has to read all of it. */
export const longLogs: Check = {
  code: 'LONG-LOG',
  title: 'every long log has a snapshot near its end',
  why: 'A new owner replays everything since the last snapshot before it serves: a failover of such a document takes as long as that.',
  remedy:
    'Releasing a document saves a snapshot of it. If it happens again, see snapshots_failed_total of the owner.',
  look(evidence) {
    const { snapshotOps } = clusterDials(evidence);
    const owned = new Set(
      evidence.leases.rows.filter(({ state }) => state === 'live').flatMap(({ docs }) => docs),
    );
    const long = evidence.documents.rows
      .filter(({ seq, snapshotSeq }) => seq - snapshotSeq > 10 * snapshotOps)
      .sort((a, b) => b.seq - b.snapshotSeq - (a.seq - a.snapshotSeq));
    return long.slice(0, shownMax).map(({ doc, seq, snapshotSeq }) => ({
      severity: 'warning' as const,
      seen: `${doc} has ${seq - snapshotSeq} ops after its last snapshot, where ${snapshotOps} are meant${long.length > shownMax ? `; ${long.length} documents are like that` : ''}`,
      mend: [
        ...(owned.has(doc) ? [] : [backplane(evidence, 'lease', 'acquire', doc)]),
        backplane(evidence, 'lease', 'release', doc),
      ],
    }));
  },
};
