import type { BrokerFound } from './drivers/embedded/embedded-broker.ts';
import { BackplaneError, isBackplaneError } from './foundation/errors.ts';
import { type EngineUrl, parseEngineUrl, type StoreUrl } from './foundation/url.ts';
import type { Clock } from './ports/clock.ts';
import type { Engine, InspectableStore } from './ports/engine.ts';
import type { BrokerExamination } from './ports/examination.ts';
import type { Logger } from './ports/logger.ts';
import type { Random } from './ports/random.ts';

/** Where a cluster is, as flags, environment and defaults have it in the end. */
export interface ConnectionSettings {
  readonly engineUrl: EngineUrl;
  /** Null: the one that goes with the engine. */
  readonly storeUrl: StoreUrl | null;
  readonly prefix: string;
  readonly dataDir: string;
  readonly brokerPort: number;
}

/** What every part is given of the machine. */
export interface Machine {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** An engine, what it can say about itself to people, and its own store if it has one. */
export interface OpenedEngine {
  readonly engine: Engine;
  readonly kind: EngineUrl['kind'];
  /** Safe to print. */
  readonly url: string;
  /** Said by `serve` when a restart of the broker loses what is in it. */
  readonly notice: string | null;
  openStore: (() => InspectableStore) | null;
  close(): Promise<void>;
}

/**
 * Opens the engine the settings name. With `launch`, the command of a broker process, an embedded
 * broker is started when none answers, and kept alive until `close`; without it, none is started.
 *
 * Throws BACKPLANE_UNREACHABLE, AUTH_FAILED, PERMISSION_DENIED, SERVER_UNSUPPORTED.
 */
export async function openEngine(
  settings: ConnectionSettings,
  machine: Machine,
  launch: readonly string[] | null,
): Promise<OpenedEngine> {
  const url = settings.engineUrl;
  switch (url.kind) {
    case 'local':
      return openLocal(url, machine);
    case 'redis':
      return openRedis(url, url.address, settings, machine);
    case 'embedded':
      return openEmbedded(url, settings, machine, launch);
  }
}

/**
 * Reads how the broker of the settings is set up and fares; null where there is no server to look
 * at. Starts none. Throws as `openEngine`.
 */
export async function examineBroker(
  settings: ConnectionSettings,
  machine: Machine,
): Promise<BrokerExamination | null> {
  const url =
    settings.engineUrl.kind === 'embedded'
      ? await embeddedUrl(settings, machine)
      : settings.engineUrl;
  if (url.kind !== 'redis') return null;
  const { examineRedis } = await import('./drivers/redis/redis-examiner.ts');
  return examineRedis(url.address, { prefix: settings.prefix, ...machine });
}

async function embeddedUrl(settings: ConnectionSettings, machine: Machine): Promise<EngineUrl> {
  const { findBroker } = await import('./drivers/embedded/embedded-broker.ts');
  const { dataDir, brokerPort: port } = settings;
  const broker = await findBroker({ dataDir, port, clock: machine.clock });
  if (!broker) throw noEmbeddedBroker(settings);
  return parseEngineUrl(broker.url);
}

function noEmbeddedBroker({ brokerPort }: ConnectionSettings): BackplaneError {
  const message = `no embedded broker runs on 127.0.0.1:${brokerPort}`;
  return new BackplaneError('BACKPLANE_UNREACHABLE', message, {
    remedy: 'start a node: backplane serve; or name a backplane with --url',
  });
}

async function openLocal(url: EngineUrl, machine: Machine): Promise<OpenedEngine> {
  const { MemoryBroker } = await import('./drivers/memory/memory-broker.ts');
  const { openMemoryEngine } = await import('./drivers/memory/memory-engine.ts');
  const engine = openMemoryEngine(new MemoryBroker(machine.clock, machine.random));
  const notice = 'everything is in this process, and gone with it; other processes see nothing';
  return {
    engine,
    kind: url.kind,
    url: url.text,
    notice,
    openStore: null,
    close: () => engine.close(),
  };
}

async function openRedis(
  url: EngineUrl,
  address: Extract<EngineUrl, { kind: 'redis' }>['address'],
  settings: ConnectionSettings,
  machine: Machine,
): Promise<OpenedEngine> {
  const { openRedisEngine } = await import('./drivers/redis/redis-engine.ts');
  const engine = await openRedisEngine(address, { prefix: settings.prefix, ...machine });
  const openStore = () => engine.openStore();
  return {
    engine,
    kind: url.kind,
    url: url.text,
    notice: null,
    openStore,
    close: () => engine.close(),
  };
}

async function openEmbedded(
  url: EngineUrl,
  settings: ConnectionSettings,
  machine: Machine,
  launch: readonly string[] | null,
): Promise<OpenedEngine> {
  const { redis, broker } = await openBroker(settings, machine, launch);
  const opened = { ...redis, kind: url.kind };
  const notice = broker.volatile
    ? `the embedded broker (${broker.server}) keeps nothing on disk; documents are in the store`
    : null;
  if (!launch) return { ...opened, notice };
  const { keepBroker } = await import('./drivers/embedded/broker-keeper.ts');
  const place = { dataDir: settings.dataDir, port: settings.brokerPort };
  const keeper = keepBroker({ ...place, ...machine, launch });
  return {
    ...opened,
    notice,
    close: async () => {
      await keeper.stop();
      await opened.close();
    },
  };
}

/** A broker that was just ending for want of users is followed by one that is not. */
const brokersTried = 3;

async function openBroker(
  settings: ConnectionSettings,
  machine: Machine,
  launch: readonly string[] | null,
): Promise<{ redis: OpenedEngine; broker: BrokerFound }> {
  const { ensureBroker, findBroker } = await import('./drivers/embedded/embedded-broker.ts');
  const place = { dataDir: settings.dataDir, port: settings.brokerPort, clock: machine.clock };
  for (let tried = 1; ; tried++) {
    const broker = launch
      ? await ensureBroker({ ...place, logger: machine.logger, launch })
      : await findBroker(place);
    if (!broker) {
      throw noEmbeddedBroker(settings);
    }
    const url = parseEngineUrl(broker.url);
    if (url.kind !== 'redis') throw new BackplaneError('INTERNAL', 'the broker has no address');
    try {
      return { redis: await openRedis(url, url.address, settings, machine), broker };
    } catch (error) {
      const isGone = isBackplaneError(error, 'BACKPLANE_UNREACHABLE');
      if (!launch || !isGone || tried === brokersTried) throw error;
    }
  }
}

export interface OpenedStore {
  readonly store: InspectableStore;
  /** Safe to print. */
  readonly url: string;
}

/** The store the settings name, or the one that goes with the engine. */
export async function openStore(
  settings: ConnectionSettings,
  opened: OpenedEngine,
  machine: Machine,
): Promise<OpenedStore> {
  const url = settings.storeUrl ?? defaultStore(settings, opened);
  return { store: await openStoreAt(url, opened, machine), url: url.text };
}

async function openStoreAt(
  url: StoreUrl,
  opened: OpenedEngine,
  machine: Machine,
): Promise<InspectableStore> {
  switch (url.kind) {
    case 'memory': {
      const { MemoryLogs, MemoryStore } = await import('./drivers/memory/memory-store.ts');
      return new MemoryStore(new MemoryLogs(machine.random));
    }
    case 'sqlite': {
      const { openSqliteStore } = await import('./drivers/sqlite/sqlite-store.ts');
      return openSqliteStore(url.path, machine);
    }
    case 'redis': {
      const store = opened.openStore?.();
      if (store) return store;
      throw new BackplaneError('CONFIG_INVALID', '--store redis: needs a --url redis://', {
        remedy: 'use --store sqlite:PATH or memory:',
      });
    }
  }
}

function defaultStore(settings: ConnectionSettings, opened: OpenedEngine): StoreUrl {
  if (opened.kind === 'local') return { kind: 'memory', text: 'memory:' };
  if (opened.kind === 'redis') return { kind: 'redis', text: 'redis:' };
  const path = `${settings.dataDir}/documents.sqlite`;
  return { kind: 'sqlite', text: `sqlite:${path}`, path };
}
