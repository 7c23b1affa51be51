import { BackplaneError } from '../../foundation/errors.ts';
import type { LeaseRecord, Leases } from '../../ports/leases.ts';
import type { DocumentHead, Snapshot, Store } from '../../ports/store.ts';
import type { SessionKeeper } from '../sessions/session-keeper.ts';
import type { SessionWatch } from '../sessions/session-watch.ts';

export interface TakeDocumentParts {
  readonly leases: Leases;
  readonly store: Store;
  readonly keeper: SessionKeeper;
  readonly watch: SessionWatch;
}

/** A document fenced for our session, and what it looked like at that moment. */
export interface TakenDocument {
  readonly session: string;
  readonly head: DocumentHead;
  readonly snapshot: Snapshot | null;
}

const claimAttemptsMax = 4;
const fenceAttemptsMax = 3;

/**
 * Becomes the owner: claim in the directory, fence in the store, confirm in the directory. Only the
 * fence decides; the directory saves everybody else the trouble. Reading the log comes after the
 * fence, because before it the old owner could still append what we would miss.
 *
 * Throws LEASE_HELD with the holder, LEASE_UNCERTAIN, CONFLICT, or what the drivers throw. Failing
 * halfway leaves a claim of a live session, which the next attempt of that session goes on from.
 * Whoever then serves the document asks first whether its session is still alive.
 */
export async function takeDocument(parts: TakeDocumentParts, doc: string): Promise<TakenDocument> {
  const session = parts.keeper.require();
  const claimedEpoch = await claim(parts, doc, session);
  const { head, snapshot } = await fence(parts, doc, session, claimedEpoch);
  const confirmed = await parts.leases.confirm({ doc, session, claimedEpoch, epoch: head.epoch });
  if (confirmed === 'superseded') {
    throw new BackplaneError('CONFLICT', `another session claimed "${doc}" at the same time`);
  }
  return { session, head, snapshot };
}

async function claim(parts: TakeDocumentParts, doc: string, session: string): Promise<number> {
  let seen = await parts.leases.read(doc);
  for (let attempt = 0; attempt < claimAttemptsMax; attempt++) {
    if (seen && seen.session !== session && !(await parts.watch.isDead(seen.session))) {
      throw held(doc, seen);
    }
    const answer = await parts.leases.claim(doc, seen, session, 'living');
    if (answer.status === 'claimed') return answer.epoch;
    if (answer.status === 'dead') throw ended(parts.keeper, doc);
    seen = answer.current;
  }
  throw new BackplaneError('CONFLICT', `too many sessions claim "${doc}" at once`);
}

async function fence(parts: TakeDocumentParts, doc: string, session: string, claimedEpoch: number) {
  let expectedEpoch = claimedEpoch;
  for (let attempt = 0; attempt < fenceAttemptsMax; attempt++) {
    const answer = await parts.store.fence(doc, session, expectedEpoch);
    if (answer.status === 'fenced') return answer;
    // The directory forgot or never knew the epoch. Ours to take only while the claim is ours.
    const now = await parts.leases.read(doc);
    const stillOurs = now?.session === session && now.state === 'claimed';
    if (!stillOurs) throw now ? held(doc, now) : conflict(doc);
    expectedEpoch = answer.epoch;
  }
  throw conflict(doc);
}

/** The broker has forgotten us before we knew. */
function ended(keeper: SessionKeeper, doc: string): BackplaneError {
  keeper.doubt();
  return new BackplaneError('LEASE_UNCERTAIN', `the session ended while it took "${doc}"`);
}

function held(doc: string, record: LeaseRecord): BackplaneError {
  return new BackplaneError('LEASE_HELD', `"${doc}" is held by session ${record.session}`, {
    facts: { session: record.session, epoch: record.epoch },
  });
}

function conflict(doc: string): BackplaneError {
  return new BackplaneError('CONFLICT', `"${doc}" was taken by another session at the same time`);
}
