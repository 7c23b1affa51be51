import { BackplaneError } from '../../foundation/errors.ts';
import { isoTime } from '../../foundation/iso-time.ts';
import { type Clock, sleep } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import { type BrokerEngine, type BrokerEngineChoice, startBrokerEngine } from './broker-engine.ts';
import { type BrokerCard, BrokerFolder } from './broker-folder.ts';
import { BrokerLink } from './broker-link.ts';
import { probeBroker } from './broker-probe.ts';
import { orphanOf } from './orphan.ts';
import { portBusy } from './port-busy.ts';
import { adoptServerProcess } from './server-process.ts';

/** An engine that dies oftener than this has a reason that a restart does not mend. */
const deathsMax = 5;
const deathsWindowMs = 60_000;
const relinkPauseMs = 200;
const idlePollMsMax = 1_000;

export interface BrokerProcessOptions {
  readonly dataDir: string;
  readonly port: number;
  readonly engine: BrokerEngineChoice;
  /** The value of PATH. */
  readonly searchPath: string;
  /** Of this process. */
  readonly pid: number;
  /** When set, the broker ends by itself after so long without a client. */
  readonly transientMs: number | null;
  /** Called whenever an engine begins to answer: at the start, and after each restart. */
  ready?(card: BrokerCard): void;
}

export interface BrokerTools {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** `stopped`: the signal asked for it. `idle`: it was transient, and the last client had gone. */
export type BrokerEnd = 'stopped' | 'idle';

/**
 * The broker of one machine, in this process, until the signal or until it is idle.
 *
 * The port is what makes it the only one: PORT_BUSY when another has it. An engine that dies is
 * started again; one whose supervisor died is taken over without disturbing its clients.
 */
export async function runBroker(
  options: BrokerProcessOptions,
  tools: BrokerTools,
): Promise<BrokerEnd> {
  const folder = await BrokerFolder.open(options.dataDir, options.port);
  const deathsMs: number[] = [];
  try {
    let engine = await adoptOrStart(options, tools, folder);
    for (;;) {
      const outcome = await supervise(engine, options, tools, folder);
      if (outcome.end !== null) {
        tools.logger.event('info', 'broker.ended', { port: options.port, why: outcome.end });
        return outcome.end;
      }
      tools.logger.event('warn', 'broker.engine-died', { engine: engine.name, why: outcome.why });
      refuseToGoOn(deathsMs, tools.clock.monotonicMs(), outcome.why);
      engine = await start(options, tools, folder);
    }
  } finally {
    await folder.removeCard(options.pid);
  }
}

type Outcome = { readonly end: BrokerEnd } | { readonly end: null; readonly why: string };

async function adoptOrStart(
  options: BrokerProcessOptions,
  tools: BrokerTools,
  folder: BrokerFolder,
): Promise<BrokerEngine> {
  const probe = await probeBroker(options.port, tools.clock);
  if (probe.state === 'absent') return start(options, tools, folder);
  const card = await folder.readCard();
  const orphan = orphanOf(probe, card);
  if (orphan === null) {
    const isOurs = probe.state === 'answering' && probe.facts.runId === card?.runId;
    throw portBusy(options.port, isOurs ? { who: `a broker (process ${card?.pid})` } : {});
  }
  tools.logger.event('warn', 'broker.adopted', { engine: orphan.engine, formerPid: orphan.pid });
  return adoptServerProcess(orphan, { port: options.port, clock: tools.clock });
}

function start(
  options: BrokerProcessOptions,
  { clock, logger }: BrokerTools,
  folder: BrokerFolder,
): Promise<BrokerEngine> {
  const { engine: choice, searchPath, port } = options;
  return startBrokerEngine({ choice, searchPath, port, folder, clock, logger });
}

/** Looks after one run of an engine, from its first answer to its end, which it makes sure of. */
async function supervise(
  engine: BrokerEngine,
  options: BrokerProcessOptions,
  tools: BrokerTools,
  folder: BrokerFolder,
): Promise<Outcome> {
  const over = new AbortController();
  const aborted = untilAborted(tools.signal, over.signal);
  let link: BrokerLink | null = null;
  try {
    const died = engine.ended.then((why): Outcome => ({ end: null, why }));
    const stopped = aborted.then((): Outcome => ({ end: 'stopped' }));
    let announced = false;
    for (;;) {
      link = await BrokerLink.open(options.port, tools.clock);
      if (link !== null && !announced) {
        await announce(engine, link, options, tools, folder);
        announced = true;
      }
      if (link === null) await engine.checkPresence?.();
      const cut = (link?.closed ?? Promise.resolve()).then(() => sleep(tools.clock, relinkPauseMs));
      const idle = link === null ? never : untilIdle(link, options.transientMs, tools, over.signal);
      const outcome = await Promise.race([died, stopped, cut.then(() => null), idle]);
      link?.close();
      if (outcome !== null) return outcome;
    }
  } finally {
    over.abort();
    link?.close();
    await engine.stop();
  }
}

async function announce(
  engine: BrokerEngine,
  link: BrokerLink,
  options: BrokerProcessOptions,
  { clock, logger }: BrokerTools,
  folder: BrokerFolder,
): Promise<void> {
  const card: BrokerCard = {
    pid: options.pid,
    port: options.port,
    engine: engine.name,
    volatile: engine.volatile,
    startedAt: isoTime(clock.wallMs()) ?? '',
    runId: link.runId,
  };
  await folder.writeCard(card);
  logger.event('info', 'broker.ready', { ...card });
  if (card.volatile) {
    const remedy = 'install valkey-server or redis-server to keep it over a restart';
    logger.event('warn', 'broker.volatile', { engine: card.engine, remedy });
  }
  options.ready?.(card);
}

const never = new Promise<never>(() => {});

async function untilIdle(
  link: BrokerLink,
  transientMs: number | null,
  { clock }: BrokerTools,
  over: AbortSignal,
): Promise<Outcome> {
  if (transientMs === null) return never;
  let usedAt = clock.monotonicMs();
  while (!over.aborted) {
    await sleep(clock, Math.min(idlePollMsMax, transientMs / 4), over);
    const clients = await link.clients();
    const now = clock.monotonicMs();
    if (clients !== 0) usedAt = now;
    if (now - usedAt >= transientMs) return { end: 'idle' };
  }
  return never;
}

function untilAborted(signal: AbortSignal, over: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true, signal: over });
  });
}

function refuseToGoOn(deathsMs: number[], nowMs: number, why: string): void {
  deathsMs.push(nowMs);
  if (deathsMs.length > deathsMax) deathsMs.shift();
  if (deathsMs.length < deathsMax || nowMs - deathsMs[0]! > deathsWindowMs) return;
  throw new BackplaneError(
    'BACKPLANE_UNREACHABLE',
    `the broker's engine died ${deathsMax} times within a minute; the last time ${why}`,
  );
}
