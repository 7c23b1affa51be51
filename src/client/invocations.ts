import { asBackplaneError, BackplaneError, isBackplaneError } from '../foundation/errors.ts';
import type { ServerMessage } from '../foundation/peer-protocol.ts';
import { Listeners } from './listeners.ts';
import { fromWire, toWire } from './wire-payload.ts';

export interface InvocationInfo {
  readonly method: string;
  /** Aborted when nobody waits for the answer any more, or the connection ended. */
  readonly signal: AbortSignal;
}

/** Gets JSON or bytes, answers with JSON or bytes. */
export type InvocationHandler = (payload: unknown, info: InvocationInfo) => unknown;

/** What nodes send to a client of their own accord: messages, and questions it answers. */
export class Invocations {
  readonly #send: (text: string) => void;
  readonly #listeners = new Listeners<{ message: unknown }>();
  readonly #handlers = new Map<string, InvocationHandler>();
  readonly #running = new Map<number, AbortController>();

  constructor(send: (text: string) => void) {
    this.#send = send;
  }

  onMessage(listen: (payload: unknown) => void): () => void {
    return this.#listeners.on('message', listen);
  }

  handle(method: string, handler: InvocationHandler): () => void {
    if (this.#handlers.has(method)) {
      throw new BackplaneError('CONFLICT', `"${method}" is handled already`);
    }
    this.#handlers.set(method, handler);
    return () => {
      if (this.#handlers.get(method) === handler) this.#handlers.delete(method);
    };
  }

  receive(message: ServerMessage & { type: 'message' | 'invoke' | 'cancel' }): void {
    if (message.type === 'message') return this.#listeners.emit('message', fromWire(message));
    if (message.type === 'cancel') return this.#running.get(message.ref)?.abort();
    void this.#run(message);
  }

  lineDown(): void {
    for (const running of this.#running.values()) running.abort();
    this.#running.clear();
  }

  async #run(message: ServerMessage & { type: 'invoke' }): Promise<void> {
    const { ref, method } = message;
    const abort = new AbortController();
    this.#running.set(ref, abort);
    let answer: string;
    try {
      const handler = this.#handlers.get(method);
      if (!handler) throw new BackplaneError('METHOD_UNKNOWN', 'this client has no such method');
      const value = await handler(fromWire(message), { method, signal: abort.signal });
      answer = toWire(value === undefined ? null : value).text;
    } catch (thrown) {
      const isUnknown = isBackplaneError(thrown, 'METHOD_UNKNOWN');
      const code = isUnknown ? 'METHOD_UNKNOWN' : 'HANDLER_FAILED';
      const text = asBackplaneError(thrown).message.slice(0, 1_000);
      answer = `"error":${JSON.stringify({ code, message: text })}`;
    }
    // A later connection uses the same numbers for other questions.
    if (this.#running.get(ref) !== abort) return;
    this.#running.delete(ref);
    if (!abort.signal.aborted) this.#send(`{"type":"result","ref":${ref},${answer}}`);
  }
}
