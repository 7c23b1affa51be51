import { BackplaneError } from '../foundation/errors.ts';
import { presenceLimits } from '../foundation/limits.ts';
import type { ConnectionDoor, Invocation } from '../runtime/presence/presence-door.ts';
import { encodePayload } from './encode-payload.ts';
import type { PeerOutlet } from './peer-outlet.ts';
import { payloadBytes, type ReadMessage } from './read-client-message.ts';

interface Waiting {
  resolve(payload: Uint8Array): void;
  reject(error: BackplaneError): void;
}

/** One message goes to many peers; it is put into words once. */
const encoded = new WeakMap<Uint8Array, string>();

/** A connected peer as the presence of its node reaches it: what it is told, and what it answers. */
export class PeerConnection implements ConnectionDoor {
  readonly #outlet: PeerOutlet;
  readonly #close: (reason: string) => void;
  readonly #waiting = new Map<number, Waiting>();
  #lastRef = 0;
  #isOver = false;

  constructor(outlet: PeerOutlet, close: (reason: string) => void) {
    this.#outlet = outlet;
    this.#close = close;
  }

  message(payload: Uint8Array): void {
    if (!this.#outlet.isOpen) throw gone();
    this.#outlet.send(`{"type":"message",${textOf(payload)}}`);
  }

  invoke({ method, payload, signal }: Invocation): Promise<Uint8Array> {
    if (this.#isOver || !this.#outlet.isOpen) return Promise.reject(gone());
    if (this.#waiting.size >= presenceLimits.invocationsMax) {
      const message = `${this.#waiting.size} invocations of this connection wait`;
      return Promise.reject(new BackplaneError('OVERLOADED', message));
    }
    this.#lastRef += 1;
    const ref = this.#lastRef;
    return new Promise((resolve, reject) => {
      const cancelled = () => {
        if (!this.#waiting.delete(ref)) return;
        this.#outlet.post({ type: 'cancel', ref });
        reject(new BackplaneError('INTERRUPTED', 'the invocation was called off'));
      };
      signal.addEventListener('abort', cancelled, { once: true });
      const settled = () => signal.removeEventListener('abort', cancelled);
      this.#waiting.set(ref, {
        resolve: (answer) => {
          settled();
          resolve(answer);
        },
        reject: (error) => {
          settled();
          reject(error);
        },
      });
      const named = `"ref":${ref},"method":${JSON.stringify(method)}`;
      this.#outlet.send(`{"type":"invoke",${named},${textOf(payload)}}`);
      if (signal.aborted) cancelled();
    });
  }

  kicked(reason: string): void {
    this.#close(reason);
  }

  /** The peer's answer; one that nobody waits for any more is dropped. */
  answered(message: ReadMessage & { type: 'result' }): void {
    const waiting = this.#waiting.get(message.ref);
    if (!waiting) return;
    this.#waiting.delete(message.ref);
    if (message.error) return waiting.reject(peerError(message.error));
    const payload = payloadBytes(message);
    if (payload.length <= presenceLimits.payloadBytesMax) return waiting.resolve(payload);
    const text = `the answer has ${payload.length} bytes`;
    waiting.reject(new BackplaneError('PAYLOAD_TOO_LARGE', text, { certainty: 'indefinite' }));
  }

  ended(): void {
    this.#isOver = true;
    for (const { reject } of this.#waiting.values()) reject(gone());
    this.#waiting.clear();
  }
}

function textOf(payload: Uint8Array): string {
  let text = encoded.get(payload);
  if (text === undefined) {
    text = encodePayload('payload', payload);
    encoded.set(payload, text);
  }
  return text;
}

/** A peer may say that it does not know a method; whatever else it says, its handler failed. */
function peerError({ code, message }: { code: string; message: string }): BackplaneError {
  const known = code === 'METHOD_UNKNOWN' ? code : 'HANDLER_FAILED';
  return new BackplaneError(known, message);
}

function gone(): BackplaneError {
  return new BackplaneError('RESPONDER_GONE', 'the connection ended before it answered');
}
