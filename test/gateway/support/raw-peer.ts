import { once } from 'node:events';
import { vi } from 'vitest';
import { WebSocket } from 'ws';

export type Message = Readonly<Record<string, unknown>> & { readonly type: string };

export interface RawPeerOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly protocols?: readonly string[];
  readonly query?: string;
}

/** A peer that speaks the protocol by hand, and so can also break it. */
export class RawPeer {
  readonly socket: WebSocket;
  /** Everything that came, in order. */
  readonly messages: Message[] = [];
  readonly #early: string[] = [];
  #taken = new Map<string, number>();
  closed: { readonly code: number; readonly reason: string } | null = null;
  /** The HTTP status of a handshake that was refused. */
  status: number | null = null;

  private constructor(url: string, protocols: readonly string[], headers: Record<string, string>) {
    this.socket = new WebSocket(url, [...protocols], { headers });
    this.socket.on('open', () => {
      for (const text of this.#early.splice(0)) this.socket.send(text);
    });
    this.socket.on('message', (data) => this.messages.push(JSON.parse(data.toString())));
    this.socket.on('error', () => {});
    this.socket.on('unexpected-response', (_, response) => {
      this.status = response.statusCode ?? 0;
      response.resume();
      this.socket.terminate();
    });
    this.socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
    });
  }

  static connect(address: string, options: RawPeerOptions = {}): RawPeer {
    const url = `${address.replace(/^http/, 'ws')}/v1/peers${options.query ?? ''}`;
    return new RawPeer(url, options.protocols ?? ['backplane.v1'], { ...options.headers });
  }

  send(message: object): void {
    this.sendText(JSON.stringify(message));
  }

  sendText(text: string): void {
    if (this.socket.readyState === WebSocket.CONNECTING) this.#early.push(text);
    else this.socket.send(text);
  }

  /** The next message of the type that no earlier call has answered. */
  async next(type: string): Promise<Message> {
    const at = this.#taken.get(type) ?? 0;
    this.#taken.set(type, at + 1);
    return this.until(() => this.messages.filter((message) => message.type === type)[at]);
  }

  async until<T>(find: () => T | undefined | null | false): Promise<T> {
    const give = () => {
      const found = find();
      if (found) return found;
      const seen = JSON.stringify(this.messages.slice(-5)).slice(0, 800);
      throw new Error(`not yet; closed: ${JSON.stringify(this.closed)}; last messages: ${seen}`);
    };
    return vi.waitFor(give, { timeout: 4_500, interval: 5 });
  }

  async end(): Promise<{ code: number; reason: string }> {
    return this.until(() => this.closed);
  }

  /** All ops of the document so far. */
  ops(doc: string): Record<string, unknown>[] {
    return this.messages
      .filter((message) => message.type === 'ops' && message.doc === doc)
      .flatMap((message) => message.ops as Record<string, unknown>[]);
  }

  async terminate(): Promise<void> {
    if (this.socket.readyState === WebSocket.CLOSED) return;
    const gone = once(this.socket, 'close');
    this.socket.terminate();
    await gone;
  }
}
