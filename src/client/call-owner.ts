import { BackplaneError } from '../foundation/errors.ts';
import { dials } from '../foundation/limits.ts';
import type { Clock } from '../ports/clock.ts';
import { clientError } from './client-error.ts';
import type { RpcOptions } from './document-handle.ts';
import type { Answer, Line } from './line.ts';
import { fromWire, toWire } from './wire-payload.ts';

export interface CallOwnerParts {
  readonly doc: string;
  readonly line: Line;
  readonly clock: Clock;
  /** Resolves once the line takes requests; rejects at the deadline, or when it never will. */
  untilLineUp(deadlineMs: number): Promise<void>;
}

/**
 * Calls a method of a document's owner. It waits for a connection until its deadline, because
 * without one it certainly was not sent; once sent it is never sent again, unless the node says that
 * it did not take it because it stops.
 */
export async function callOwner(
  parts: CallOwnerParts,
  method: string,
  payload: unknown,
  options: RpcOptions,
): Promise<unknown> {
  const { doc, line, clock } = parts;
  const { text, bytes } = toWire(payload);
  const head = `"type":"rpc","doc":${JSON.stringify(doc)},"method":${JSON.stringify(method)}`;
  const request = { bytes, text: (ref: number) => `{${head},"ref":${ref},${text}}` };
  const deadlineMs = clock.monotonicMs() + (options.timeoutMs ?? dials.requestTimeoutMs);
  for (;;) {
    await parts.untilLineUp(deadlineMs);
    const { promise, resolve } = Promise.withResolvers<Answer | null>();
    if (!line.request({ ...request, answered: resolve })) {
      throw new BackplaneError('OVERLOADED', 'too many requests of this client wait');
    }
    const isTimed = options.timeoutMs !== undefined;
    const answer = isTimed ? await inTime(parts, promise, deadlineMs, method) : await promise;
    if (answer?.type === 'reply') return fromWire(answer);
    if (answer?.type !== 'refused') {
      throw new BackplaneError('BACKPLANE_LOST', 'the connection ended before the reply came');
    }
    const error = clientError(answer);
    const wasTurnedAway = error.code === 'DRAINING' && error.certainty === 'definite';
    if (!wasTurnedAway || line.isUp) throw error;
  }
}

async function inTime<T>(
  { doc, clock }: CallOwnerParts,
  answer: Promise<T>,
  deadlineMs: number,
  method: string,
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = clock.after(Math.max(0, deadlineMs - clock.monotonicMs()), () => {
    late.reject(
      new BackplaneError('DEADLINE_EXCEEDED', `${method} of "${doc}" was not answered in time`),
    );
  });
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    timer.cancel();
  }
}
