import type { Server, Socket } from 'node:net';
import type { Clock } from '../../ports/clock.ts';
import type { WasmImports, WasmMemory } from './web-assembly.ts';

/** Beyond this much unsent data a client's writes wait in the engine, whose limits then cut it. */
const backlogBytesMax = 1_048_576;
/** Received and not yet read by the engine: then the socket is paused, and TCP slows the sender. */
const unreadBytesMax = 1_048_576;
/** How long the last replies of a closed connection may take to leave. */
const lingerMs = 1_000;
// Both fixed in the engine: the first descriptor of the host, and the size of its event table
// (maxclients + 128). A descriptor beyond the table is accepted and never served.
const firstDescriptor = 4_096;
const descriptorsEnd = 10_128;
const readable = 1;
const writable = 2;

/** What fits the engine's event table, less its listener and some air. */
export const wasmConnectionsMax = descriptorsEnd - firstDescriptor - 32;

interface Connection {
  readonly socket: Socket;
  readonly unread: Buffer[];
  unreadBytes: number;
  /** How far the first unread buffer was read. */
  offset: number;
  ended: boolean;
}

export interface WasmSocketsOptions {
  readonly server: Server;
  readonly clock: Clock;
  readonly memory: () => WasmMemory;
  /** Something happened that the engine should look at. */
  readonly wake: () => void;
  readonly connectionsMax: number;
}

/**
 * The sockets of the WebAssembly engine: `imports` is the engine's side, `node:net` the other.
 *
 * Descriptors are reused, nothing is buffered without a bound in either direction, and what was
 * sent before a close still arrives.
 */
export class WasmSockets {
  private readonly options: WasmSocketsOptions;
  private readonly connections = new Map<number, Connection>();
  private readonly waiting: Socket[] = [];
  private readonly free: number[] = [];
  private readonly released: number[] = [];
  private nextDescriptor = firstDescriptor;
  private listener = -1;
  private activityCount = 0;

  constructor(options: WasmSocketsOptions) {
    this.options = options;
    options.server.on('connection', (socket) => this.welcome(socket));
  }

  /** Reads, writes, accepts and closes so far: unchanged by a pass, the engine has nothing to do. */
  activity(): number {
    return this.activityCount;
  }

  count(): number {
    return this.connections.size;
  }

  /** Between two passes: a descriptor reused within one could be given its predecessor's events. */
  recycle(): void {
    while (this.released.length > 0) this.free.push(this.released.pop()!);
  }

  imports(): WasmImports {
    return {
      socket: () => this.takeDescriptor(),
      listen: (descriptor: number) => {
        this.listener = descriptor;
        return 0;
      },
      accept: () => this.accept(),
      read: (descriptor: number, at: number, length: number) => this.read(descriptor, at, length),
      write: (descriptor: number, at: number, length: number) => this.write(descriptor, at, length),
      close: (descriptor: number) => this.close(descriptor),
      poll: (interestAt: number, count: number, firedAt: number, max: number) =>
        this.poll(interestAt, count, firedAt, max),
    };
  }

  destroyAll(): void {
    for (const { socket } of this.connections.values()) socket.destroy();
    for (const socket of this.waiting) socket.destroy();
    this.connections.clear();
    this.waiting.length = 0;
  }

  private welcome(socket: Socket): void {
    // Without a listener a reset in mid-refusal would end the process.
    socket.on('error', () => {});
    if (this.connections.size + this.waiting.length >= this.options.connectionsMax) {
      socket.end('-ERR max number of clients reached\r\n');
      socket.resume();
      this.options.clock.after(lingerMs, () => socket.destroy());
      return;
    }
    socket.setNoDelay(true);
    this.waiting.push(socket);
    this.options.wake();
  }

  private accept(): number {
    const socket = this.waiting.shift();
    if (socket === undefined) return -1;
    this.activityCount++;
    const descriptor = this.takeDescriptor();
    const connection: Connection = {
      socket,
      unread: [],
      unreadBytes: 0,
      offset: 0,
      ended: socket.destroyed,
    };
    this.connections.set(descriptor, connection);
    socket.on('data', (chunk: Buffer) => {
      connection.unread.push(chunk);
      connection.unreadBytes += chunk.length;
      if (connection.unreadBytes > unreadBytesMax) socket.pause();
      this.options.wake();
    });
    const end = () => {
      connection.ended = true;
      this.options.wake();
    };
    socket.on('end', end).on('close', end);
    socket.on('drain', () => this.options.wake());
    return descriptor;
  }

  private read(descriptor: number, at: number, length: number): number {
    const connection = this.connections.get(descriptor);
    if (connection === undefined) return -1;
    if (connection.unread.length === 0) {
      if (!connection.ended) return -1;
      this.activityCount++;
      return 0;
    }
    const memory = new Uint8Array(this.options.memory().buffer);
    let taken = 0;
    while (taken < length) {
      const head = connection.unread[0];
      if (head === undefined) break;
      const part = head.subarray(connection.offset, connection.offset + length - taken);
      memory.set(part, at + taken);
      taken += part.length;
      connection.offset += part.length;
      if (connection.offset === head.length) {
        connection.unread.shift();
        connection.offset = 0;
      }
    }
    connection.unreadBytes -= taken;
    if (connection.socket.isPaused() && connection.unreadBytes <= unreadBytesMax) {
      connection.socket.resume();
    }
    this.activityCount++;
    return taken;
  }

  /** -1 means a broken connection to the engine, 0 means "not now". */
  private write(descriptor: number, at: number, length: number): number {
    const connection = this.connections.get(descriptor);
    if (connection === undefined || !connection.socket.writable) return -1;
    const room = backlogBytesMax - connection.socket.writableLength;
    if (room <= 0) return 0;
    const taken = Math.min(room, length);
    // Copied, because the engine reuses its memory as soon as this returns.
    const copy = Buffer.allocUnsafe(taken);
    copy.set(new Uint8Array(this.options.memory().buffer, at, taken));
    connection.socket.write(copy);
    this.activityCount++;
    return taken;
  }

  private close(descriptor: number): void {
    const connection = this.connections.get(descriptor);
    if (connection === undefined) return;
    this.connections.delete(descriptor);
    this.released.push(descriptor);
    this.activityCount++;
    const { socket } = connection;
    if (socket.writableLength === 0) {
      socket.destroy();
      return;
    }
    const timer = this.options.clock.after(lingerMs, () => socket.destroy());
    socket.once('close', () => timer.cancel());
    socket.destroySoon();
  }

  private poll(interestAt: number, count: number, firedAt: number, max: number): number {
    const words = new Int32Array(this.options.memory().buffer);
    const interest = interestAt >> 2;
    const firedWords = firedAt >> 2;
    let fired = 0;
    for (let index = 0; index < count && fired < max; index++) {
      const descriptor = words[interest + index * 2]!;
      const ready = this.readiness(descriptor) & words[interest + index * 2 + 1]!;
      if (ready === 0) continue;
      words[firedWords + fired * 2] = descriptor;
      words[firedWords + fired * 2 + 1] = ready;
      fired++;
    }
    return fired;
  }

  private readiness(descriptor: number): number {
    if (descriptor === this.listener) return this.waiting.length > 0 ? readable : 0;
    const connection = this.connections.get(descriptor);
    if (connection === undefined) return 0;
    return (
      (connection.unread.length > 0 || connection.ended ? readable : 0) |
      (connection.socket.writableLength < backlogBytesMax ? writable : 0)
    );
  }

  private takeDescriptor(): number {
    return this.free.pop() ?? this.nextDescriptor++;
  }
}
