import { writeSync } from 'node:fs';
import { openSqliteStore, type SqliteStore } from '../../src/drivers/sqlite/sqlite-store.ts';
import { SystemClock } from '../../src/drivers/system/system-clock.ts';
import { SystemRandom } from '../../src/drivers/system/system-random.ts';
import { silentLogger } from '../../src/ports/logger.ts';
import type { LogEnd, StoredOp } from '../../src/ports/store.ts';

/** Another process on the same file. Every line it prints was acknowledged by the store. */
export interface SqliteTask {
  readonly path: string;
  /** Forgets to close the store. */
  readonly leavesOpen?: boolean;
  readonly session: string;
  readonly docs: readonly string[];
  /** How often it takes each document from whoever has it, and then appends how often. */
  readonly fences: number;
  readonly appends: number;
}

export type SqliteLine =
  | { readonly kind: 'opened'; readonly identity: string }
  | { readonly kind: 'fenced'; readonly doc: string; readonly epoch: number }
  | { readonly kind: 'appended'; readonly doc: string; readonly op: SaidOp };

/** An op; its payload is "PEER says CHAIN". */
export type SaidOp = Omit<StoredOp, 'payload'>;

const task: SqliteTask = JSON.parse(process.argv[2] ?? '{}');
const machine = { clock: new SystemClock(), random: new SystemRandom(), logger: silentLogger };
const store = await openSqliteStore(task.path, machine);
say({ kind: 'opened', identity: await store.identity() });
await Promise.all(task.docs.map((doc) => contend(store, doc)));
if (!task.leavesOpen) await store.close();

/** Not `console.log`: what was acknowledged is said before a kill can come in between. */
function say(line: SqliteLine): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

async function contend(store: SqliteStore, doc: string): Promise<void> {
  for (let fence = 0; fence < task.fences; fence++) {
    const seen = await store.head(doc);
    const answer = await store.fence(doc, task.session, seen?.epoch ?? 0);
    if (answer.status !== 'fenced') continue;
    const { epoch, seq, chain } = answer.head;
    say({ kind: 'fenced', doc, epoch });
    let end: LogEnd | null = { seq, chain };
    for (let i = 0; end && i < task.appends; i++) end = await append(store, doc, epoch, end);
  }
}

/** Where the log ends now; null when another has fenced. */
async function append(
  store: SqliteStore,
  doc: string,
  epoch: number,
  after: LogEnd,
): Promise<LogEnd | null> {
  const { session } = task;
  const seq = after.seq + 1;
  const chain = `${epoch}-${seq}-${session}`;
  const op = { seq, epoch, peer: session, counter: seq, at: 1_767_225_600_000, chain };
  const ops = [{ ...op, payload: new TextEncoder().encode(`${session} says ${chain}`) }];
  const answer = await store.append({ doc, epoch, session, after, ops, announcement: null });
  if (answer.status === 'fenced') return null;
  if (answer.status === 'conflict') throw new Error(`${doc} does not end where its owner left it`);
  say({ kind: 'appended', doc, op });
  return { seq, chain };
}
