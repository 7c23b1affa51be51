import { Worker } from 'node:worker_threads';
import { BackplaneError } from '../../foundation/errors.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Gives, SqliteAnswer, SqliteKind, SqliteRequest, Takes } from './sqlite-calls.ts';
import { asError } from './sqlite-errors.ts';

/** Calls and bytes that may wait for the thread: beyond them a caller is told OVERLOADED. */
const callsWaitingMax = 8_192;
const bytesWaitingMax = 67_108_864;
/** An answer that took longer than this is worth a line in the log: the disk is slow, or shared. */
const slowMs = 1_000;
/** A disk that hangs must not hang its callers; above the wait for a lock, which is known by name. */
const callTimeoutMs = 10_000;
/** After a pause of this whole process, answers that are already there are read before giving up. */
const catchUpMs = 50;

interface Waiting {
  readonly kind: SqliteKind;
  readonly bytes: number;
  readonly sinceMs: number;
  /** Its caller was told that it is too late; the thread still has it, so it counts. */
  isGivenUp: boolean;
  readonly resolve: (gives: never) => void;
  readonly reject: (error: BackplaneError) => void;
}

export interface SqliteThreadParts {
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * A thread with the file open, seen from the thread that needs it. Every call ends: with its
 * answer, at its deadline, or when the thread dies; the last two are indefinite. All later calls
 * to a dead thread fail at once. It keeps the process alive only while a call is under way.
 */
export class SqliteThread {
  readonly #name: string;
  readonly #parts: SqliteThreadParts;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #exited: Promise<void>;
  #outbox: SqliteRequest[] = [];
  #transfers: ArrayBuffer[] = [];
  #bytesWaiting = 0;
  #lastId = 0;
  #isSlowReported = false;
  #watch: Timer | null = null;
  #state: 'running' | 'ending' | 'dead' = 'running';

  constructor(name: string, parts: SqliteThreadParts) {
    this.#name = name;
    this.#parts = parts;
    const file = import.meta.url.endsWith('.ts') ? './sqlite-worker.ts' : './sqlite-worker.js';
    // No execArgv: what this process was started with (a test runner's loader) is not for it.
    this.#worker = new Worker(new URL(file, import.meta.url), { name, execArgv: [] });
    this.#worker.unref();
    this.#worker.on('message', (answers: readonly SqliteAnswer[]) => this.#settle(answers));
    this.#worker.on('error', (error) => this.#becomeDead(error));
    this.#worker.on('messageerror', (error) => this.#becomeDead(error));
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        this.#becomeDead(new Error(`the thread ended with ${code}`));
        resolve();
      });
    });
  }

  /** `handedOver`: memory within `takes` that is the thread's from now on. */
  call<K extends SqliteKind>(
    kind: K,
    takes: Takes<K>,
    handedOver?: Uint8Array<ArrayBuffer>,
  ): Promise<Gives<K>> {
    const bytes = handedOver?.byteLength ?? 0;
    return new Promise((resolve, reject) => {
      if (this.#state !== 'running') return reject(this.#gone());
      if (this.#isFull(bytes)) return reject(this.#overloaded());
      const id = ++this.#lastId;
      const sinceMs = this.#parts.clock.monotonicMs();
      if (this.#waiting.size === 0) this.#worker.ref();
      this.#watch ??= this.#parts.clock.after(callTimeoutMs, () => this.#expireSoon());
      this.#waiting.set(id, { kind, bytes, sinceMs, isGivenUp: false, resolve, reject });
      this.#bytesWaiting += bytes;
      // The kind and what it takes belong together by this function's own signature.
      this.#outbox.push({ id, kind, takes } as SqliteRequest);
      if (handedOver && bytes > 0) this.#transfers.push(handedOver.buffer);
      if (this.#outbox.length === 1) queueMicrotask(() => this.#send());
    });
  }

  /** Answers all calls under way, then closes the file and ends. */
  async end(): Promise<void> {
    if (this.#state === 'running') {
      // A thread that dies instead has nothing left to close.
      this.call('close', null).catch(() => {});
      this.#state = 'ending';
    }
    // A thread that hangs on its disk must not keep the node from stopping.
    const timer = this.#parts.clock.after(callTimeoutMs, () => void this.#worker.terminate());
    await this.#exited;
    timer.cancel();
  }

  /** Ends the thread where it stands, as a crash would. */
  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  /** The calls of one tick are one message. */
  #send(): void {
    const [outbox, transfers] = [this.#outbox, this.#transfers];
    this.#outbox = [];
    this.#transfers = [];
    this.#worker.postMessage(outbox, transfers);
  }

  #settle(answers: readonly SqliteAnswer[]): void {
    for (const answer of answers) {
      const waiting = this.#waiting.get(answer.id);
      if (!waiting) continue;
      this.#forget(answer.id, waiting);
      this.#reportSlow(waiting);
      if ('failure' in answer) waiting.reject(asError(answer.failure));
      else waiting.resolve(answer.gives as never);
    }
    if (this.#waiting.size === 0) this.#rest();
  }

  /** Nothing is under way. */
  #rest(): void {
    this.#watch?.cancel();
    this.#watch = null;
    if (this.#state === 'running') this.#worker.unref();
  }

  #expireSoon(): void {
    this.#watch = this.#parts.clock.after(catchUpMs, () => this.#expire());
  }

  /** Calls wait in the order they were made, and all for as long. */
  #expire(): void {
    const nowMs = this.#parts.clock.monotonicMs();
    for (const waiting of this.#waiting.values()) {
      if (waiting.isGivenUp) continue;
      const leftMs = waiting.sinceMs + callTimeoutMs - nowMs;
      if (leftMs > 0) {
        this.#watch = this.#parts.clock.after(leftMs, () => this.#expireSoon());
        return;
      }
      waiting.isGivenUp = true;
      const late = `the store did not answer ${waiting.kind} within ${callTimeoutMs} ms`;
      waiting.reject(new BackplaneError('STORE_UNAVAILABLE', late));
    }
    this.#watch = null;
  }

  #forget(id: number, waiting: Waiting): void {
    this.#waiting.delete(id);
    this.#bytesWaiting -= waiting.bytes;
  }

  /** Once per slow spell, however many calls wait in it. */
  #reportSlow({ kind, sinceMs }: Waiting): void {
    const tookMs = this.#parts.clock.monotonicMs() - sinceMs;
    const isSlow = tookMs > slowMs;
    if (isSlow && !this.#isSlowReported) {
      this.#parts.logger.event('warn', 'store.slow', { kind, tookMs: Math.round(tookMs) });
    }
    this.#isSlowReported = isSlow;
  }

  #becomeDead(cause: unknown): void {
    if (this.#state === 'dead') return;
    const wasAsked = this.#state === 'ending';
    this.#state = 'dead';
    const reason = cause instanceof Error ? cause.message : String(cause);
    if (!wasAsked) {
      this.#parts.logger.event('error', 'store.thread-died', { thread: this.#name, reason });
    }
    for (const [id, waiting] of this.#waiting) {
      this.#forget(id, waiting);
      waiting.reject(
        new BackplaneError('STORE_UNAVAILABLE', `the store's thread died: ${reason}`, { cause }),
      );
    }
    this.#rest();
  }

  #isFull(bytes: number): boolean {
    // One call that is too large by itself goes alone: it must be possible at all.
    if (this.#waiting.size === 0) return false;
    return this.#waiting.size >= callsWaitingMax || this.#bytesWaiting + bytes > bytesWaitingMax;
  }

  #gone(): BackplaneError {
    const message = `the store's thread ${this.#name} is gone`;
    return new BackplaneError('STORE_UNAVAILABLE', message, {
      certainty: 'definite',
      remedy: "see the node's log, then restart it",
    });
  }

  #overloaded(): BackplaneError {
    const [calls, bytes] = [this.#waiting.size, this.#bytesWaiting];
    return new BackplaneError('OVERLOADED', `${calls} calls wait for the store (${bytes} bytes)`);
  }
}
