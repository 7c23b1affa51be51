import { opIdOf } from '../../foundation/identifiers.ts';
import { limits } from '../../foundation/limits.ts';
import type { InspectableStore } from '../../ports/engine.ts';
import type { Inspector } from '../../ports/inspector.ts';
import type { KeyRow } from '../../ports/tap.ts';
import type { HistoryRecorder } from './history-recorder.ts';
import { leaseRegistration } from './tap-events.ts';

type Recorder = Pick<HistoryRecorder, 'record'>;

/** Logs read side by side: enough to hide the round trips, few enough for the memory. */
const logsAtOnce = 8;

/**
 * Every op of every log, and where each log ends. A log that cannot be read to its end fails, and
 * gets no `final.head`, so that no law takes a part of it for the whole.
 */
export async function recordLogs(
  store: InspectableStore,
  docs: readonly string[],
  recorder: Recorder,
): Promise<void> {
  const waiting = docs.values();
  const readAll = async () => {
    for (const doc of waiting) await recordLog(store, doc, recorder);
  };
  await Promise.all(Array.from({ length: logsAtOnce }, readAll));
}

async function recordLog(store: InspectableStore, doc: string, recorder: Recorder): Promise<void> {
  let seq = 0;
  for (;;) {
    const ops = await store.read(doc, seq, limits.readOpsMax);
    for (const op of ops) {
      seq = op.seq;
      const opId = opIdOf(op.peer, op.counter);
      recorder.record({ ev: 'final.op', doc, seq, epoch: op.epoch, opId });
    }
    if (ops.length > 0) continue;
    const end = (await store.head(doc))?.seq ?? 0;
    // More than that may have been appended since the last page was read: only a page tells.
    const isBehind = end > seq && (await store.read(doc, seq, 1)).length > 0;
    if (isBehind) continue;
    recorder.record({ ev: 'final.head', doc, seq: end });
    return;
  }
}

/** Every lease that is held, as a registration under the session that holds it. */
export async function recordLeases(
  inspector: Pick<Inspector, 'leases'>,
  recorder: Recorder,
  isOurs: (doc: string) => boolean = () => true,
): Promise<void> {
  const ids: string[] = [];
  for await (const rows of inspector.leases()) {
    // What is only claimed or handed over belongs to nobody yet.
    const held = rows.filter(({ doc, state }) => state === 'held' && isOurs(doc));
    ids.push(...held.map(({ doc }) => leaseRegistration(doc)));
  }
  recorder.record({ ev: 'registration.view', viewer: 'inspect leases', ids });
}

/** Every key of the broker, and how many there were: said only when all of them were listed. */
export async function recordKeys(
  keys: AsyncIterable<readonly KeyRow[]>,
  recorder: Recorder,
): Promise<void> {
  let count = 0;
  for await (const rows of keys) {
    for (const { key, role, session, ttlMs } of rows) {
      recorder.record({ ev: 'final.key', key, role, session, ttlMs });
      count += 1;
    }
  }
  recorder.record({ ev: 'final.keys', count });
}
