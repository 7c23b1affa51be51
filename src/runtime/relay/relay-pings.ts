import { BackplaneError } from '../../foundation/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import type { RelayFrame } from '../frames.ts';
import type { RelayPost } from './relay-post.ts';

export interface RelayPingsParts {
  readonly post: RelayPost;
  readonly clock: Clock;
  readonly random: Random;
}

/** Measures the way letters take between two nodes, with frames that look like theirs. */
export class RelayPings {
  readonly #parts: RelayPingsParts;
  readonly #waiting = new Map<string, (error: BackplaneError | null) => void>();

  constructor(parts: RelayPingsParts) {
    this.#parts = parts;
  }

  async ping(session: string, timeoutMs: number): Promise<number> {
    const { clock, random, post } = this.#parts;
    const id = random.token(10);
    const startedMs = clock.monotonicMs();
    const outcome = Promise.withResolvers<BackplaneError | null>();
    this.#waiting.set(id, outcome.resolve);
    const timer = clock.after(timeoutMs, () => outcome.resolve(late(session, timeoutMs)));
    void post.ping(session, id).then((receivers) => {
      if (receivers === 0) outcome.resolve(nobody(session));
    });
    const error = await outcome.promise;
    timer.cancel();
    this.#waiting.delete(id);
    if (error) throw error;
    return clock.monotonicMs() - startedMs;
  }

  receive(frame: RelayFrame): void {
    if (frame.what === 'ping') this.#parts.post.pong(frame.from, frame.conn);
    else this.#waiting.get(frame.conn)?.(null);
  }

  stop(): void {
    for (const settle of this.#waiting.values()) {
      settle(new BackplaneError('CLOSED', 'the node has stopped'));
    }
  }
}

function late(session: string, timeoutMs: number): BackplaneError {
  return new BackplaneError(
    'DEADLINE_EXCEEDED',
    `session ${session} did not answer within ${timeoutMs} ms`,
  );
}

function nobody(session: string): BackplaneError {
  return new BackplaneError('NO_RESPONDER', `nobody listens for session ${session}`);
}
