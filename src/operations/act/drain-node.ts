import { BackplaneError, isBackplaneError } from '../../foundation/errors.ts';
import { dials } from '../../foundation/limits.ts';
import { type Clock, sleep } from '../../ports/clock.ts';
import type { DeathCause, SessionRecord } from '../../ports/sessions.ts';
import type { RequestOptions } from '../../runtime/reports.ts';
import type { ClusterDoor } from '../inspect/ask-any-node.ts';
import { findLiveSession } from '../inspect/find-session.ts';

/** How a node left. */
export interface DrainReport {
  readonly nodeId: string;
  readonly session: string;
  /** The documents it owned when it began to hand over. */
  readonly documents: number;
  /** `left`: it handed over and stopped. Anything else: it died before it had finished. */
  readonly cause: DeathCause;
  readonly tookMs: number;
}

export interface DrainParts extends ClusterDoor {
  readonly clock: Clock;
}

const lookMs = 100;

/**
 * Asks a node to hand everything over and stop, and waits until its session has ended. Throws
 * NODE_UNKNOWN, NODE_DEAD, and DEADLINE_EXCEEDED when it is still handing over at the deadline.
 */
export async function drainNode(
  parts: DrainParts,
  node: string,
  options: RequestOptions = {},
): Promise<DrainReport> {
  const { sessions, clock } = parts;
  const target = await findLiveSession(sessions, node);
  const startedMs = clock.monotonicMs();
  const documents = await askToDrain(parts, target, options);
  const deadlineMs = startedMs + (options.timeoutMs ?? dials.requestTimeoutMs);
  for (;;) {
    const now = await sessions.read(target.id);
    if (now === null || now.state === 'dead') {
      return {
        nodeId: target.description.nodeId,
        session: target.id,
        documents,
        cause: now?.cause ?? 'left',
        tookMs: Math.round(clock.monotonicMs() - startedMs),
      };
    }
    if (options.signal?.aborted) throw interrupted(target);
    if (clock.monotonicMs() >= deadlineMs) throw stillThere(now, documents);
    await sleep(clock, lookMs, options.signal);
  }
}

/** A node may stop so fast that its answer is lost; whether it left is seen by its session. */
async function askToDrain(
  parts: DrainParts,
  target: SessionRecord,
  options: RequestOptions,
): Promise<number> {
  try {
    const answer = await parts.visitor.control(target.id, 'node.drain', {}, options);
    return (answer as { documents: number }).documents;
  } catch (error) {
    if (isBackplaneError(error, 'RESPONDER_GONE', 'DRAINING')) return target.vitals.documents;
    throw error;
  }
}

function interrupted({ id, description }: SessionRecord): BackplaneError {
  return new BackplaneError('INTERRUPTED', `${description.nodeId} goes on draining`, {
    remedy: `backplane inspect node ${description.nodeId}`,
    facts: { nodeId: description.nodeId, session: id },
  });
}

function stillThere(record: SessionRecord, documents: number): BackplaneError {
  const { nodeId } = record.description;
  return new BackplaneError(
    'DEADLINE_EXCEEDED',
    `${nodeId} still hands over: ${record.vitals.documents} of ${documents} documents are left`,
    { remedy: `wait longer with --timeout, or look: backplane inspect node ${nodeId}` },
  );
}
