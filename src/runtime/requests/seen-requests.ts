import { limits } from '../../foundation/limits.ts';
import type { ReplyFrame } from '../frames.ts';

interface Seen {
  readonly untilMs: number;
  state: 'running' | 'answered';
}

/** What is known of a request that comes in. `lost`: it may have been run, and nobody knows more. */
export type Known = 'new' | 'running' | 'lost' | ReplyFrame;

const repliesBytesMax = 16_777_216;
/** What a reply without a payload takes. */
const replyBytesMin = 512;

/**
 * The requests that came, until their deadline, and what they were answered: one that comes again
 * is answered again, and never run again. Memory is bounded; what had to be forgotten early is
 * `lost`, and not `new`, to whoever asks again.
 */
export class SeenRequests {
  readonly #seen = new Map<string, Seen>();
  /** In the order of answering. */
  readonly #replies = new Map<string, ReplyFrame>();
  #replyBytes = 0;
  /** Until then somebody may ask again for one that was forgotten before its deadline. */
  #forgotUntilMs = Number.NEGATIVE_INFINITY;

  find(key: string, again: boolean, nowMs: number): Known {
    const seen = this.#seen.get(key);
    if (!seen) return again && nowMs < this.#forgotUntilMs ? 'lost' : 'new';
    return seen.state === 'running' ? 'running' : (this.#replies.get(key) ?? 'lost');
  }

  began(key: string, nowMs: number, untilMs: number): void {
    for (const [old, seen] of this.#seen) {
      if (seen.untilMs > nowMs && this.#seen.size < limits.requestsPendingMax) break;
      if (seen.untilMs > nowMs) this.#forgotUntilMs = Math.max(this.#forgotUntilMs, seen.untilMs);
      this.forget(old);
    }
    this.#seen.set(key, { untilMs, state: 'running' });
  }

  answered(key: string, reply: ReplyFrame): void {
    const seen = this.#seen.get(key);
    if (!seen) return;
    seen.state = 'answered';
    this.#replies.set(key, reply);
    this.#replyBytes += bytesOf(reply);
    for (const old of this.#replies.keys()) {
      if (this.#replyBytes <= repliesBytesMax) break;
      this.#dropReply(old);
    }
  }

  forget(key: string): void {
    this.#seen.delete(key);
    this.#dropReply(key);
  }

  #dropReply(key: string): void {
    const reply = this.#replies.get(key);
    if (!reply) return;
    this.#replies.delete(key);
    this.#replyBytes -= bytesOf(reply);
  }
}

function bytesOf(reply: ReplyFrame): number {
  return replyBytesMin + reply.payload.length;
}
