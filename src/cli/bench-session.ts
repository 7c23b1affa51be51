import { readFileSync } from 'node:fs';
import { BackplaneError } from '../foundation/errors.ts';
import { dials } from '../foundation/limits.ts';
import { parseEngineUrl, parseStoreUrl } from '../foundation/url.ts';
import { type BenchAssertion, failedAssertions } from '../verification/bench/bench-assertion.ts';
import {
  type BenchCluster,
  type BenchClusterOrder,
  startBenchCluster,
} from '../verification/bench/bench-cluster.ts';
import { type BenchReport, benchReport } from '../verification/bench/bench-report.ts';
import { BenchTally } from '../verification/bench/bench-tally.ts';
import type { BenchGround, WorkPlan } from '../verification/bench/bench-work.ts';
import { type CpuPlaces, readCpu } from '../verification/bench/cpu-meter.ts';
import { knownWorks, type WorkName } from '../verification/bench/known-works.ts';
import { measureTakeover } from '../verification/bench/measure-takeover.ts';
import { type LoadPlan, runLoad } from '../verification/bench/run-load.ts';
import { localProcess } from '../verification/drills/nodes/local-process.ts';
import { BenchMeter } from './bench-meter.ts';
import type { CommandContext } from './context.ts';
import { benchLines } from './output/bench-lines.ts';
import { type Settings, settingDefaults } from './settings.ts';

export interface BenchRequest {
  readonly work: WorkName | 'takeover';
  readonly load: LoadPlan;
  readonly plan: Omit<WorkPlan, 'prefix'>;
  /** Null: the cluster of the settings. */
  readonly start: BenchClusterOrder | null;
  readonly assertions: readonly BenchAssertion[];
  /** The report of an earlier run, to be compared with. */
  readonly compare: string | null;
}

/** One `bench`: the cluster, the work, the load, and what came of it. */
export async function runBench(context: CommandContext, request: BenchRequest): Promise<void> {
  const { world, print, signal, logger } = context;
  const { start } = request;
  const earlier = request.compare === null ? null : readReport(request.compare);
  const cluster =
    start && (await context.use(() => startBenchCluster(start, world.doors.drillDoors(logger))));
  const settings = cluster ? settingsOf(context.settings, cluster) : context.settings;
  const place = await openPlace(context, settings);
  const plan = { ...request.plan, prefix: `bench-${context.random.token(5)}` };
  const bench = { ...request, plan };
  const report =
    cluster && request.work === 'takeover'
      ? await killOwner(cluster, place, bench)
      : await putLoad(context, place, bench);
  await print.report({ ...report, comparedWith: earlier }, () => benchLines(report, earlier));
  if (signal.aborted) throw new BackplaneError('INTERRUPTED', 'the measurement was interrupted');
  const failed = failedAssertions(report, request.assertions);
  if (failed.length > 0) throw new BackplaneError('ASSERTION_FAILED', failed.join('; '));
  if (report.done === 0) throw new BackplaneError('INCONCLUSIVE', 'nothing was done');
}

type Bench = BenchRequest & { readonly plan: WorkPlan };

interface Place {
  readonly ground: BenchGround;
  readonly cpu: CpuPlaces;
  readonly nodes: number;
}

async function putLoad(context: CommandContext, place: Place, bench: Bench): Promise<BenchReport> {
  const { clock, signal } = context;
  const { load, plan } = bench;
  const tally = new BenchTally();
  const open = knownWorks[bench.work as WorkName];
  const work = await open(place.ground, plan, tally);
  const meter = new BenchMeter(context, tally, load);
  try {
    const cpuBefore = await readCpu(place.cpu);
    const startMs = clock.monotonicMs();
    await runLoad(load, {
      ...{ clock, tally, signal, answers: work.answers },
      one: (index, meantMs) => work.one(index, meantMs),
    });
    const ranMs = clock.monotonicMs() - startMs;
    const cpuAfter = await readCpu(place.cpu);
    await work.settle?.();
    return benchReport({
      ...{ work: bench.work, unit: work.unit, tally, load, cpuBefore, cpuAfter, ranMs },
      ...described(place, plan),
      extras: work.extras?.() ?? {},
    });
  } finally {
    meter.end();
    await work.close();
  }
}

async function killOwner(cluster: BenchCluster, place: Place, bench: Bench): Promise<BenchReport> {
  const cpuBefore = await readCpu(place.cpu);
  const { tally, ranMs, extras } = await measureTakeover(cluster, place.ground, bench.plan);
  const cpuAfter = { ...(await readCpu(place.cpu)), nodesMs: null };
  const load = { shape: { kind: 'closed', concurrency: 64 }, warmUpMs: 0, durationMs: ranMs };
  return benchReport({
    ...{ work: 'takeover', unit: 'documents', tally, cpuBefore, cpuAfter, ranMs, extras },
    ...{ load: load as LoadPlan },
    ...described(place, bench.plan),
  });
}

function described(place: Place, { documents, payloadBytes }: WorkPlan) {
  return { server: place.ground.engine.name, nodes: place.nodes, documents, payloadBytes };
}

async function openPlace(context: CommandContext, settings: Settings): Promise<Place> {
  const { clock, random, signal, logger, world } = context;
  const { doors } = world;
  const engine = await context.use(() => doors.openEngine(settings, logger));
  const visitor = await context.use(() => doors.openVisitor(engine, logger, true));
  const living = (await engine.sessions.list()).filter(({ state }) => state === 'live');
  const pids = living.map(({ description }) => localProcess(living, description.nodeId));
  const host = async () => {
    const documentEngine = (await engine.clusterRecords.read())?.documentEngine;
    const hosted = await context.use(() =>
      doors.hostNode(settings, {
        ...{ nodeId: null, gateway: null, dials: dials, fastTakeover: true },
        ...{ startsBroker: false, logger, drainRequested: () => {} },
        documentEngine: documentEngine === 'log' ? 'log' : 'json',
      }),
    );
    return hosted.node;
  };
  return {
    ground: {
      ...{ engine, visitor, clock, random, signal, host },
      urls: living.flatMap(({ description }) => description.address ?? []),
      token: settings.token?.reveal() ?? null,
    },
    cpu: {
      nodePids: pids.some((pid) => pid === null) ? null : (pids as number[]),
      broker: async () => (await doors.examineBroker(settings, logger))?.state?.cpuMs ?? null,
    },
    nodes: living.length,
  };
}

/** As if the user had named the cluster that was started. Its nodes take peers without a token. */
function settingsOf(settings: Settings, { url, storeUrl }: BenchCluster): Settings {
  return {
    ...settings,
    ...{ engineUrl: parseEngineUrl(url), storeUrl: parseStoreUrl(storeUrl) },
    ...{ prefix: settingDefaults.prefix, token: null },
  };
}

function readReport(path: string): BenchReport {
  let report: Partial<BenchReport>;
  try {
    report = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BackplaneError('CONFIG_INVALID', `cannot read "${path}": ${why}`, { cause });
  }
  if (typeof report?.rate === 'number' && typeof report.latency?.p99Ms === 'number') {
    return report as BenchReport;
  }
  throw new BackplaneError('CONFIG_INVALID', `"${path}" is no report of bench`, {
    remedy: 'write one: backplane bench ops -o json > FILE',
  });
}
