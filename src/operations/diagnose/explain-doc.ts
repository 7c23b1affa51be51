import { formatDuration } from '../../foundation/duration.ts';
import { BackplaneError, isBackplaneError } from '../../foundation/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Engine } from '../../ports/engine.ts';
import type { LeaseRecord } from '../../ports/leases.ts';
import type { SessionRecord } from '../../ports/sessions.ts';
import type { DocumentDescription, WireOp } from '../../runtime/controls.ts';
import type { RequestOptions } from '../../runtime/reports.ts';
import type { Visitor } from '../../runtime/visitor.ts';
import { askAnyNode } from '../inspect/ask-any-node.ts';
import { stateOf } from '../inspect/list-nodes.ts';
import { Account, type Explanation } from './explanation.ts';
import { feedPositions } from './feed-positions.ts';

export interface ExplainParts {
  readonly engine: Engine;
  readonly visitor: Visitor;
  readonly clock: Clock;
}

/** Why a document is as it is. Acquires nothing. Throws DOCUMENT_UNKNOWN. */
export async function explainDoc(
  parts: ExplainParts,
  doc: string,
  options: RequestOptions = {},
): Promise<Explanation> {
  const { engine } = parts;
  const lease = await engine.leases.read(doc);
  const head = await headOf(parts, doc, options);
  if (lease === null && head === null) {
    throw new BackplaneError('DOCUMENT_UNKNOWN', `there is no document "${doc}"`);
  }
  const owner = lease && (await engine.sessions.read(lease.session));
  const account = new Account();
  tellOwner(account, lease, owner);
  await tellLog(account, parts, doc, head, options);
  const isServed = tellServing(account, lease, owner, head);
  await tellFollowers(account, parts, doc, head, options);
  return account.end(`document ${doc}`, nextFor(doc, lease, owner, isServed));
}

async function headOf({ engine, visitor }: ExplainParts, doc: string, options: RequestOptions) {
  const door = { sessions: engine.sessions, visitor };
  try {
    return (await askAnyNode(door, 'doc.describe', { doc }, options)) as DocumentDescription;
  } catch (error) {
    if (isBackplaneError(error, 'DOCUMENT_UNKNOWN', 'NO_NODES')) return null;
    throw error;
  }
}

function tellOwner(account: Account, lease: LeaseRecord | null, owner: SessionRecord | null): void {
  if (lease === null) {
    account.say(
      'lease',
      'plain',
      'Nobody owns it: the next op or request makes a node its owner.',
      {
        directory: 'no record',
      },
    );
    return;
  }
  const evidence = { directory: lease };
  const name = owner?.description.nodeId ?? `session ${lease.session}`;
  const words = {
    held: `${name} owns it, epoch ${lease.epoch}.`,
    claimed: `${name} has claimed it, and not yet fenced the store.`,
    handed: `It was handed to ${name}, which has not claimed it yet.`,
  };
  account.say('lease', 'plain', words[lease.state], evidence);
  if (owner === null) {
    const text = 'Nobody remembers that session: its node died long ago, and the record was left.';
    account.say('owner', 'bad', text, { 'session index': 'no such session' }, ['lease']);
    return;
  }
  const state = stateOf(owner);
  const ago = formatDuration(owner.lastBeatAgoMs);
  const told = {
    session: { id: owner.id, state, cause: owner.cause, lastBeatAgoMs: owner.lastBeatAgoMs },
  };
  if (state === 'live' || state === 'draining') {
    account.say('owner', 'good', `${name} is ${state}: it beat ${ago} ago.`, told, ['lease']);
  } else {
    const cause = owner.cause === null ? '' : ` (${owner.cause})`;
    account.say(
      'owner',
      'bad',
      `${name} is ${state}${cause}: its last beat was ${ago} ago.`,
      told,
      ['lease'],
    );
  }
}

async function tellLog(
  account: Account,
  { engine, visitor, clock }: ExplainParts,
  doc: string,
  head: DocumentDescription | null,
  options: RequestOptions,
): Promise<void> {
  if (head === null) {
    account.say(
      'log',
      'bad',
      'Its log could not be read: no node is alive, or the store does not know it.',
      {
        store: 'no answer',
      },
    );
    return;
  }
  const { seq, epoch, writer, snapshotSeq } = head;
  const store = { seq, epoch, writer, snapshotSeq };
  account.say(
    'log',
    'plain',
    `Its log ends at seq ${seq}; the store lets only epoch ${epoch} write.`,
    { store },
  );
  if (seq === 0) return;
  const door = { sessions: engine.sessions, visitor };
  const params = { doc, after: seq - 1, limit: 1 };
  const { ops } = (await askAnyNode(door, 'doc.read', params, options)) as { ops: WireOp[] };
  const last = ops[0];
  if (!last) return;
  const ago = formatDuration(Math.max(0, clock.wallMs() - last.at));
  const op = { seq: last.seq, epoch: last.epoch, peer: last.peer, at: last.at };
  account.say(
    'last-op',
    'plain',
    `It was written last ${ago} ago, by the peer ${last.peer}.`,
    { log: op },
    ['log'],
  );
}

/** Whether an op sent now would be served by the owner that the directory names. */
function tellServing(
  account: Account,
  lease: LeaseRecord | null,
  owner: SessionRecord | null,
  head: DocumentDescription | null,
): boolean {
  if (lease === null || head === null) return false;
  const because = ['lease', 'owner', 'log'];
  const evidence = { directory: lease.epoch, store: head.epoch };
  if (lease.state === 'held' && (lease.epoch < head.epoch || head.writer !== lease.session)) {
    const text =
      'The store has fenced that owner off: a later one took over, and the directory does not say so yet.';
    account.say('serving', 'bad', text, evidence, because);
    return false;
  }
  if (owner === null || owner.state === 'dead') {
    const text =
      'So the next op or request replaces the owner at once; until then nobody serves it.';
    account.say('serving', 'bad', text, evidence, because);
    return false;
  }
  if (stateOf(owner) === 'silent') {
    const text = `So ops wait for it, until it is given up, in ${formatDuration(owner.expiresInMs)} at the latest.`;
    account.say('serving', 'bad', text, { session: { expiresInMs: owner.expiresInMs } }, because);
    return false;
  }
  if (stateOf(owner) === 'deaf') {
    account.say(
      'serving',
      'bad',
      'So requests do not reach it, though it beats.',
      { session: 'deaf' },
      because,
    );
    return false;
  }
  account.say(
    'serving',
    'good',
    'So it is served: directory, store and owner agree.',
    evidence,
    because,
  );
  return true;
}

async function tellFollowers(
  account: Account,
  parts: ExplainParts,
  doc: string,
  head: DocumentDescription | null,
  options: RequestOptions,
): Promise<void> {
  const positions = await feedPositions(parts, doc, options);
  const following = positions.filter(({ followed }) => followed);
  const behind = following.filter(({ seq }) => head !== null && seq < head.seq);
  const silent = positions.filter(({ failure }) => failure !== null);
  const facts = positions.map(({ nodeId, followed, seq, followers, failure }) => [
    nodeId,
    failure ?? (followed ? { seq, followers } : 'does not follow it'),
  ]);
  const evidence = Object.fromEntries(facts);
  if (positions.length === 0) return;
  const names = following.map(({ nodeId }) => nodeId).join(', ');
  account.say(
    'followers',
    'plain',
    following.length === 0 ? 'No node has peers on it.' : `Peers follow it on ${names}.`,
    evidence,
  );
  if (behind.length > 0) {
    const late = behind.map(({ nodeId, seq }) => `${nodeId} (at ${seq})`).join(', ');
    account.say('behind', 'bad', `Behind the log: ${late}.`, evidence, ['followers', 'log']);
  }
  if (silent.length > 0) {
    const who = silent.map(({ nodeId }) => nodeId).join(', ');
    account.say('silent', 'bad', `Did not answer: ${who}.`, evidence);
  }
}

function nextFor(
  doc: string,
  lease: LeaseRecord | null,
  owner: SessionRecord | null,
  isServed: boolean,
): string {
  const name = /^[A-Za-z0-9_.:@%+=,/-]+$/.test(doc) ? doc : `'${doc.replaceAll("'", "'\\''")}'`;
  if (isServed) return `backplane trace ${name}`;
  if (lease !== null && owner === null) return 'backplane fsck --fix';
  if (lease !== null && owner && stateOf(owner) !== 'live')
    return `backplane node evict ${owner.id}`;
  return `backplane lease acquire ${name}`;
}
