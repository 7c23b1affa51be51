import { asBackplaneError, BackplaneError, type ErrorCode } from '../../foundation/errors.ts';
import { opIdOf } from '../../foundation/identifiers.ts';
import { dials } from '../../foundation/limits.ts';
import { type Clock, sleep } from '../../ports/clock.ts';
import type { OpReceipt, OpSubmission } from '../../runtime/reports.ts';
import type { Visitor } from '../../runtime/visitor.ts';

/** What the cluster said to one op. */
export interface OpReport {
  readonly doc: string;
  readonly opId: string;
  readonly seq: number;
  readonly epoch: number;
  /** The node that ordered and stored it. */
  readonly nodeId: string;
  /** From the first sending to the acknowledgement, retries included. */
  readonly latencyMs: number;
  /** Nodes it passed through before its owner. */
  readonly hops: number;
  /** It had been applied before; this repeats the first answer. */
  readonly duplicate: boolean;
}

export interface SubmitParts {
  readonly visitor: Visitor;
  readonly clock: Clock;
}

export interface SubmitOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Settles when the op before this one of the same peer did: true when it was acknowledged. */
  readonly previous?: Promise<boolean>;
}

/** Known not to have happened, and likely to go better in a moment. */
const passing: readonly ErrorCode[] = [
  'NO_RESPONDER',
  'NODE_DEAD',
  'DRAINING',
  'OVERLOADED',
  'NOT_OWNER',
  'FENCED',
  'LEASE_UNCERTAIN',
  'LEASE_LOST',
  'SESSION_LOST',
];

/** Not known to have happened or not, and no better the next time. */
const hopeless: readonly ErrorCode[] = ['INTERNAL', 'INTERRUPTED', 'PERMISSION_DENIED'];

/** So that a cluster where nobody answers is reported within two seconds, not at the deadline. */
const passingRetriesMax = 5;
const firstPauseMs = 50;
const pauseMsMax = 800;
/** One attempt never eats the whole deadline: the owner may be paused while others could take over. */
const attemptMs = 5_000;

/**
 * Submits one op and keeps at it with the same opId, so it is applied exactly once however often
 * it is sent. Fails with the last attempt's code; `certainty` says whether any attempt may have
 * been applied.
 */
export async function submitOp(
  parts: SubmitParts,
  doc: string,
  op: OpSubmission,
  options: SubmitOptions = {},
): Promise<OpReport> {
  const { visitor, clock } = parts;
  const startedMs = clock.monotonicMs();
  const deadlineMs = startedMs + (options.timeoutMs ?? dials.requestTimeoutMs);
  const attempts = new Attempts(doc, op);
  for (;;) {
    const leftMs = deadlineMs - clock.monotonicMs();
    if (leftMs <= 0) throw attempts.failure();
    try {
      const receipt = await visitor.submit(doc, op, {
        timeoutMs: Math.min(leftMs, attemptMs),
        ...(options.signal ? { signal: options.signal } : {}),
      });
      return reportOf(receipt, clock.monotonicMs() - startedMs);
    } catch (thrown) {
      attempts.failed(asBackplaneError(thrown));
    }
    if (options.signal?.aborted) throw attempts.failure();
    if (attempts.last().code === 'OP_GAP' && options.previous) {
      // It overtook the op before it; once that one is in, there is no gap.
      if (attempts.gaps > 1 || !(await options.previous)) throw attempts.failure();
      continue;
    }
    if (!attempts.worthAnother()) throw attempts.failure();
    const pauseMs = Math.min(attempts.pauseMs(), deadlineMs - clock.monotonicMs());
    if (pauseMs > 0) await sleep(clock, pauseMs, options.signal);
  }
}

/** What was tried so far, and what can be said about it. */
class Attempts {
  gaps = 0;
  readonly #doc: string;
  readonly #op: OpSubmission;
  #count = 0;
  #passingCount = 0;
  #mayHaveHappened = false;
  #last: BackplaneError | null = null;

  constructor(doc: string, op: OpSubmission) {
    this.#doc = doc;
    this.#op = op;
  }

  failed(error: BackplaneError): void {
    this.#count++;
    this.#last = error;
    if (error.code === 'OP_GAP') this.gaps++;
    if (error.certainty === 'indefinite') this.#mayHaveHappened = true;
    else this.#passingCount++;
  }

  last(): BackplaneError {
    return this.#last ?? new BackplaneError('DEADLINE_EXCEEDED', 'no time was left to send the op');
  }

  worthAnother(): boolean {
    const { code, certainty } = this.last();
    if (certainty === 'indefinite') return !hopeless.includes(code);
    if (this.#passingCount > passingRetriesMax) return false;
    // Whoever may have it must be asked again, even when for the moment nobody is there.
    if (this.#mayHaveHappened && (code === 'NO_NODES' || code === 'BACKPLANE_UNREACHABLE')) {
      return true;
    }
    return passing.includes(code);
  }

  pauseMs(): number {
    return Math.min(firstPauseMs * 2 ** (this.#count - 1), pauseMsMax);
  }

  failure(): BackplaneError {
    const last = this.last();
    const opId = opIdOf(this.#op.peer, this.#op.counter);
    const again = `send it again with the same id, it is applied once: --op-id ${opId}`;
    const certainty = this.#mayHaveHappened ? 'indefinite' : last.certainty;
    const earlier = this.#mayHaveHappened && last.certainty === 'definite';
    return new BackplaneError(
      last.code,
      earlier ? `${last.message}; an earlier attempt may have been applied` : last.message,
      {
        cause: last,
        certainty,
        remedy: this.#mayHaveHappened ? again : last.remedy,
        facts: { ...last.facts, doc: this.#doc, opId, attempts: this.#count },
      },
    );
  }
}

function reportOf(receipt: OpReceipt, latencyMs: number): OpReport {
  const { doc, opId, seq, epoch, nodeId, hops, duplicate } = receipt;
  return { doc, opId, seq, epoch, nodeId, latencyMs: roundMs(latencyMs), hops, duplicate };
}

/** Hundredths of a millisecond are as exact as a network allows. */
function roundMs(durationMs: number): number {
  return Math.round(durationMs * 100) / 100;
}
