import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { BackplaneError } from '../../foundation/errors.ts';
import { type Clock, sleep } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import { type BrokerCard, BrokerFolder } from './broker-folder.ts';
import { type BrokerFacts, type BrokerProbe, probeBroker } from './broker-probe.ts';
import { orphanOf } from './orphan.ts';
import { portBusy } from './port-busy.ts';

/** The time to start one: Node.js and the engine need 0.2 to 0.5 s on an idle machine. */
const startTimeoutMs = 5_000;
/** An installed server with a long append-only file reads it first, and says so. */
const loadTimeoutMs = 60_000;
const pollMs = 25;
/** A child may lose the port to a broker that is just ending; then another has to try. */
const launchesMax = 3;

export interface BrokerPlace {
  readonly dataDir: string;
  readonly port: number;
  readonly clock: Clock;
}

export interface EnsureOptions extends BrokerPlace {
  readonly logger: Logger;
  /**
   * The command of the broker's own process, program first. Paths in it must be absolute: it runs
   * in the broker's folder.
   */
  readonly launch: readonly string[];
  readonly signal?: AbortSignal;
}

export interface BrokerFound {
  readonly url: string;
  readonly port: number;
  /** `valkey 9.1.1`, `redis 7.0.15`. */
  readonly server: string;
  /** True when a restart of the broker loses everything in it. */
  readonly volatile: boolean;
  /** The supervisor's process; null when it is not one of ours. */
  readonly pid: number | null;
}

/** The broker that answers on the port, or null. PORT_BUSY when what listens there is none. */
export async function findBroker(place: BrokerPlace): Promise<BrokerFound | null> {
  const probe = await probeBroker(place.port, place.clock);
  if (probe.state === 'answering') {
    const card = await BrokerFolder.at(place.dataDir, place.port).readCard();
    return found(place.port, probe.facts, card);
  }
  if (probe.state === 'foreign' || probe.state === 'silent') throw notABroker(place.port, probe);
  return null;
}

/**
 * The broker that answers on the port, started when there is none. Any number of callers at once
 * end with one broker, because only one process can have the port.
 *
 * Fails with PORT_BUSY, DATA_FOLDER_UNUSABLE, or BACKPLANE_UNREACHABLE when none would start.
 */
export async function ensureBroker(options: EnsureOptions): Promise<BrokerFound> {
  const { clock, port, signal } = options;
  const startedAt = clock.monotonicMs();
  const reading = BrokerFolder.at(options.dataDir, port);
  let launches = 0;
  let launched: Launched | null = null;
  let answering: BrokerFound | null = null;
  let formerPid: number | null = null;
  for (;;) {
    if (signal?.aborted) {
      throw new BackplaneError('INTERRUPTED', 'the wait for the broker was interrupted');
    }
    const probe = await probeBroker(port, clock);
    const card = await reading.readCard();
    const orphan = orphanOf(probe, card);
    formerPid ??= orphan?.pid ?? null;
    if (probe.state === 'answering') {
      answering = found(port, probe.facts, card);
      // One that we launched is complete when it looks after its engine and has said who it is; the
      // card of the one before it is about the same run.
      const hasSaid = answering.pid !== null && answering.pid !== formerPid;
      const isComplete = probe.facts.supervisors > 0 && hasSaid;
      const isStarting = launched !== null && !launched.hasEnded() && !isComplete;
      if (orphan === null && !isStarting) return answering;
    }
    if (probe.state === 'foreign') throw notABroker(port, probe);
    const isMissing = probe.state === 'absent' || orphan !== null;
    const mayLaunch = isMissing && (launched === null || launched.hasEnded());
    const timeoutMs = probe.state === 'loading' ? loadTimeoutMs : startTimeoutMs;
    const isLate = clock.monotonicMs() - startedAt > timeoutMs;
    if (isLate || (mayLaunch && launches >= launchesMax)) {
      // An orphan that nobody could adopt serves as well as before.
      if (probe.state === 'answering' && answering !== null) return answering;
      if (probe.state === 'silent') throw notABroker(port, probe);
      throw await notStarted(options, reading);
    }
    if (mayLaunch) {
      launches++;
      launched = await launch(options);
      options.logger.event('info', 'broker.launched', { port, pid: launched.pid });
    }
    await sleep(clock, pollMs, signal);
  }
}

interface Launched {
  readonly pid: number | undefined;
  hasEnded(): boolean;
}

/** In a session of its own and with its output in a file, so that nothing of ours can end it. */
async function launch(options: EnsureOptions): Promise<Launched> {
  const folder = await BrokerFolder.open(options.dataDir, options.port);
  const [program, ...args] = options.launch;
  const log = await folder.openLog();
  let child: ChildProcess;
  try {
    const stdio = ['ignore' as const, log.fd, log.fd];
    child = spawn(program!, args, { detached: true, cwd: folder.path, stdio });
    await once(child, 'spawn');
  } catch (cause) {
    throw new BackplaneError('BACKPLANE_UNREACHABLE', `cannot run ${program}`, { cause });
  } finally {
    await log.close();
  }
  child.unref();
  return { pid: child.pid, hasEnded: () => child.exitCode !== null || child.signalCode !== null };
}

function found(port: number, facts: BrokerFacts, card: BrokerCard | null): BrokerFound {
  const isOurs = card !== null && card.runId === facts.runId;
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    server: facts.server,
    volatile: !facts.appendsToFile,
    pid: isOurs ? card.pid : null,
  };
}

function notABroker(port: number, probe: BrokerProbe): BackplaneError {
  const why = probe.state === 'foreign' ? probe.why : 'it took the connection and did not answer';
  return portBusy(port, { who: 'something that is no broker', why });
}

async function notStarted(options: EnsureOptions, folder: BrokerFolder): Promise<BackplaneError> {
  const last = await folder.lastLogLine();
  return new BackplaneError(
    'BACKPLANE_UNREACHABLE',
    `no broker came up on 127.0.0.1:${options.port}${last === null ? '' : `; it said: ${last}`}`,
    { remedy: `see why in the foreground: backplane broker; or read ${folder.logFile}` },
  );
}
