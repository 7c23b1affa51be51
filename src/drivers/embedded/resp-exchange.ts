import { connect, type Socket } from 'node:net';
import { BackplaneError } from '../../foundation/errors.ts';
import type { Clock } from '../../ports/clock.ts';

/** What the other side can say; a refusal is a value, because whoever asks must look at it. */
export type RespReply = string | number | null | RespRefusal | RespReply[];

export class RespRefusal {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** The first word: NOAUTH, LOADING, ERR. */
  get kind(): string {
    return this.text.split(' ', 1)[0] ?? '';
  }
}

const replyBytesMax = 1_048_576;

/**
 * One connection to a server that speaks RESP, for a few plain questions one after the other.
 *
 * `ask` rejects with BACKPLANE_UNREACHABLE when no answer came in time or the connection ended,
 * and with FRAME_INVALID when the answer was not RESP. Either way the connection is over.
 */
export class RespExchange {
  /** Settles when the connection is over; never rejects. */
  readonly closed: Promise<void>;
  private readonly socket: Socket;
  private readonly clock: Clock;
  private received = Buffer.alloc(0);
  private waiting: { take(reply: RespReply): void; fail(error: Error): void } | null = null;

  private constructor(socket: Socket, clock: Clock) {
    this.socket = socket;
    this.clock = clock;
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.waiting?.fail(unreachable('the connection ended before the answer'));
        resolve();
      });
    });
    socket.on('error', () => {});
    socket.on('data', (chunk) => this.take(chunk));
  }

  /** Null when nobody listens there. */
  static open(port: number, clock: Clock, timeoutMs: number): Promise<RespExchange | null> {
    return new Promise((resolve) => {
      const socket = connect({ host: '127.0.0.1', port, noDelay: true });
      const timer = clock.after(timeoutMs, () => socket.destroy());
      const fail = () => {
        timer.cancel();
        resolve(null);
      };
      socket.once('error', () => {});
      socket.once('close', fail);
      socket.once('connect', () => {
        timer.cancel();
        socket.off('close', fail);
        resolve(new RespExchange(socket, clock));
      });
    });
  }

  async ask(timeoutMs: number, ...words: string[]): Promise<RespReply> {
    if (this.waiting !== null || this.socket.destroyed) {
      throw unreachable('the connection cannot be used');
    }
    const timer = this.clock.after(timeoutMs, () => {
      this.waiting?.fail(unreachable(`${words[0]} had no answer within ${timeoutMs} ms`));
      this.socket.destroy();
    });
    try {
      return await new Promise<RespReply>((take, fail) => {
        this.waiting = { take, fail };
        this.socket.write(encode(words));
      });
    } finally {
      this.waiting = null;
      timer.cancel();
    }
  }

  close(): void {
    this.socket.destroy();
  }

  private take(chunk: Buffer): void {
    this.received = Buffer.concat([this.received, chunk]);
    try {
      for (let at = 0; ; ) {
        const parsed = parse(this.received, at);
        if (parsed === null) {
          this.received = this.received.subarray(at);
          if (this.received.length > replyBytesMax) throw notResp('an answer is too long');
          return;
        }
        at = parsed.end;
        this.waiting?.take(parsed.reply);
      }
    } catch (error) {
      this.waiting?.fail(error as Error);
      this.socket.destroy();
    }
  }
}

function encode(words: readonly string[]): string {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return `*${words.length}\r\n${parts.join('')}`;
}

/** The reply that starts at `at`, or null while it is incomplete. */
function parse(bytes: Buffer, at: number): { reply: RespReply; end: number } | null {
  if (at >= bytes.length) return null;
  const mark = String.fromCharCode(bytes[at]!);
  if (!'+-:$*'.includes(mark)) throw notResp('an answer is not RESP');
  const lineEnd = bytes.indexOf('\r\n', at);
  if (lineEnd < 0) return null;
  const line = bytes.toString('utf8', at + 1, lineEnd);
  const next = lineEnd + 2;
  if (mark === '+') return { reply: line, end: next };
  if (mark === '-') return { reply: new RespRefusal(line), end: next };
  const number = Number(line);
  if (!Number.isSafeInteger(number)) throw notResp('an answer is not RESP');
  if (mark === ':') return { reply: number, end: next };
  if (number < 0) return { reply: null, end: next };
  if (mark === '*') return parseList(bytes, next, number);
  if (bytes.length < next + number + 2) return null;
  return { reply: bytes.toString('utf8', next, next + number), end: next + number + 2 };
}

function parseList(bytes: Buffer, start: number, length: number) {
  const list: RespReply[] = [];
  let at = start;
  while (list.length < length) {
    const parsed = parse(bytes, at);
    if (parsed === null) return null;
    list.push(parsed.reply);
    at = parsed.end;
  }
  return { reply: list, end: at };
}

function unreachable(message: string): BackplaneError {
  return new BackplaneError('BACKPLANE_UNREACHABLE', message);
}

function notResp(message: string): BackplaneError {
  return new BackplaneError('FRAME_INVALID', message);
}
