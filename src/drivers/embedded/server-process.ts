import { type ChildProcess, spawn } from 'node:child_process';
import { BackplaneError } from '../../foundation/errors.ts';
import { type Clock, sleep } from '../../ports/clock.ts';
import type { BrokerEngine } from './broker-engine.ts';
import type { BrokerCard, BrokerFolder } from './broker-folder.ts';
import { probeBroker, readBrokerFacts } from './broker-probe.ts';
import { countOutput } from './count-output.ts';
import type { FoundServer } from './find-server.ts';
import { portBusy } from './port-busy.ts';
import { RespExchange } from './resp-exchange.ts';

/** From the start of the process until it answers; reading a long append-only file counts extra. */
const answerTimeoutMs = 10_000;
const loadTimeoutMs = 600_000;
/** A clean end writes the append-only file out; after this long it is ended without mercy. */
const stopTimeoutMs = 10_000;
const pollMs = 15;

export interface ServerProcessOptions {
  readonly port: number;
  readonly folder: BrokerFolder;
  readonly clock: Clock;
}

/**
 * An installed server as a child of this process, on loopback only, with its data in the broker's
 * folder. It binds the port before it reads a file, so two of them never share one file.
 */
export async function startServerProcess(
  server: FoundServer,
  options: ServerProcessOptions,
): Promise<BrokerEngine> {
  const child = await launch(server, options);
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`it could not be started: ${error.message}`));
    child.once('exit', (status, signal) => resolve(`it ended with ${signal ?? status}`));
  });
  let hasEnded = false;
  void ended.then(() => {
    hasEnded = true;
  });
  const stop = async () => {
    child.kill('SIGTERM');
    const timer = options.clock.after(stopTimeoutMs, () => child.kill('SIGKILL'));
    await ended;
    timer.cancel();
  };
  try {
    await untilItAnswers(server, child, () => hasEnded, options);
    await countOutput(options.port, options.clock);
  } catch (error) {
    await stop();
    throw error;
  }
  return { name: server.name, volatile: false, ended, stop };
}

/** A server whose supervisor died: its clients go on undisturbed, and its end is ours to notice. */
export function adoptServerProcess(
  card: BrokerCard,
  { port, clock }: Pick<ServerProcessOptions, 'port' | 'clock'>,
): BrokerEngine {
  const { promise: ended, resolve: end } = Promise.withResolvers<string>();
  return {
    name: card.engine,
    volatile: card.volatile,
    ended,
    async checkPresence() {
      const exchange = await RespExchange.open(port, clock, answerTimeoutMs);
      if (exchange === null) end('nobody listens on its port any more');
      exchange?.close();
    },
    async stop() {
      const exchange = await RespExchange.open(port, clock, answerTimeoutMs);
      if (exchange === null) return;
      // By now the port may be another broker's; only the run that was adopted is ours to end.
      const facts = await readBrokerFacts(exchange).catch(() => null);
      // The answer to SHUTDOWN is the end of the connection.
      if (facts?.runId === card.runId)
        await exchange.ask(stopTimeoutMs, 'SHUTDOWN').catch(() => {});
      exchange.close();
    },
  };
}

async function launch(server: FoundServer, options: ServerProcessOptions): Promise<ChildProcess> {
  const settings = {
    port: String(options.port),
    bind: '127.0.0.1',
    'protected-mode': 'yes',
    daemonize: 'no',
    dir: options.folder.path,
    save: '',
    appendonly: 'yes',
    appendfsync: 'everysec',
    'maxmemory-policy': 'noeviction',
  };
  const log = await options.folder.openLog();
  try {
    return spawn(
      server.path,
      Object.entries(settings).flatMap(([key, value]) => [`--${key}`, value]),
      // Detached, because Ctrl-C reaches a whole group of processes and this one is ended by us.
      { detached: true, cwd: options.folder.path, env: {}, stdio: ['ignore', log.fd, log.fd] },
    );
  } finally {
    await log.close();
  }
}

async function untilItAnswers(
  server: FoundServer,
  child: ChildProcess,
  hasEnded: () => boolean,
  options: ServerProcessOptions,
): Promise<void> {
  const { clock, folder, port } = options;
  const startedAt = clock.monotonicMs();
  for (;;) {
    // Asked before the look at the port: who lost it to another must see the other there.
    const isOver = hasEnded();
    const probe = await probeBroker(port, clock);
    if (probe.state === 'answering' && probe.facts.processId === child.pid) return;
    if (isOver) {
      if (probe.state !== 'absent') throw portBusy(port);
      const last = await folder.lastLogLine();
      const why = last === null ? '' : `: ${last}`;
      throw new BackplaneError('BACKPLANE_UNREACHABLE', `${server.path} does not start${why}`, {
        remedy: `read ${folder.logFile}`,
      });
    }
    const timeoutMs = probe.state === 'loading' ? loadTimeoutMs : answerTimeoutMs;
    if (clock.monotonicMs() - startedAt > timeoutMs) {
      throw new BackplaneError('BACKPLANE_UNREACHABLE', `${server.path} does not answer`, {
        remedy: `read ${folder.logFile}`,
      });
    }
    await sleep(clock, pollMs);
  }
}
