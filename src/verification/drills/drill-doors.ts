import type { Clock } from '../../ports/clock.ts';
import type { Engine, InspectableStore } from '../../ports/engine.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Random } from '../../ports/random.ts';
import type { KeyRow, Tap, Witness } from '../../ports/tap.ts';
import type { ServerBinary } from './brokers/owned-broker.ts';

/** What a drill needs of the machine. The composition root gives it, so that it knows no driver. */
export interface DrillDoors {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** The command that runs this program: Node.js and its script. */
  readonly program: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where folders of drills are made. */
  readonly temporary: string;
  /** `brokerUrl` is a `redis://`. */
  openEngine(brokerUrl: string): Promise<OpenedBroker>;
  /** The scripts of the drivers by their SHA-1, so that a fault can name one. */
  scriptNames(): Promise<ReadonlyMap<string, string>>;
  /** The installed redis-server or valkey-server; null without one. */
  findServer(): Promise<ServerBinary | null>;
  openTap(place: StorePlace, witness: Witness): Promise<Tap>;
  /** Every key of the cluster in the broker, with what it is for. */
  listKeys(brokerUrl: string): AsyncIterable<KeyRow[]>;
}

export interface OpenedBroker {
  readonly engine: Engine;
  /** `storeUrl` as `serve --store` takes it: in this broker, or in a file. */
  openStore(storeUrl: string): Promise<InspectableStore>;
}

/** Where the logs of a drill are: in its broker, or in a file. */
export interface StorePlace {
  readonly brokerUrl: string;
  /** As `serve --store` takes it. */
  readonly storeUrl: string;
}
