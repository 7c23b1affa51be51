import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findServer } from '../../../../src/drivers/embedded/find-server.ts';
import { SystemRandom } from '../../../../src/drivers/system/system-random.ts';
import type { OwnedBroker } from '../../../../src/verification/drills/brokers/owned-broker.ts';
import { startBroker } from '../../../../src/verification/drills/brokers/start-broker.ts';
import { readProcess } from '../../../../src/verification/drills/nodes/read-process.ts';
import { realClock } from '../../../support/real-clock.ts';

export const searchPath = process.env.PATH ?? '';
const bin = fileURLToPath(new URL('../../../../bin/backplane.js', import.meta.url));

export type BrokerKind = 'redis' | 'pair' | 'embedded server' | 'embedded wasm';

/** A folder that goes with its brokers, and every process they were ever made of. */
export class BrokerGround {
  readonly pids: number[] = [];
  /** Those that the warden would end. */
  readonly watched = new Set<number>();
  readonly folder: string;
  readonly #brokers: OwnedBroker[] = [];

  static async make(): Promise<BrokerGround> {
    return new BrokerGround(await mkdtemp(join(tmpdir(), 'backplane-drill-')));
  }

  private constructor(folder: string) {
    this.folder = folder;
  }

  async start(kind: BrokerKind): Promise<OwnedBroker> {
    const tools = {
      clock: realClock,
      random: new SystemRandom(),
      folder: this.folder,
      warden: {
        watchProcess: (pid: number) => {
          this.pids.push(pid);
          this.watched.add(pid);
        },
        forgetProcess: (pid: number) => void this.watched.delete(pid),
      },
    };
    const broker =
      kind === 'redis' || kind === 'pair'
        ? await startBroker({ kind, binary: await findServer(searchPath) }, tools)
        : await startBroker(
            {
              kind: 'embedded',
              program: [process.execPath, bin],
              engine: kind === 'embedded wasm' ? 'wasm' : 'server',
              searchPath,
            },
            tools,
          );
    this.#brokers.push(broker);
    return broker;
  }

  /** Those of its processes that still run. */
  living(): number[] {
    return this.pids.filter((pid) => readProcess(pid) !== null);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#brokers.map((broker) => broker.close()));
    await rm(this.folder, { recursive: true, force: true });
  }
}
