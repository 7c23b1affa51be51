import type { Random } from '../../ports/random.ts';
import { defaultDials, type NodeDials } from '../../runtime/node-settings.ts';
import type { NetworkManners } from './sim-network.ts';

export const faultNames = [
  'crash',
  'machine-crash',
  'pause',
  'suspend',
  'clean-restart',
  'wall-jump',
  'cut-broker',
  'cut-store',
  'cut-peer',
  'broker-restart',
  'broker-wipe',
  'broker-rewind',
  'broker-clock',
  'subscriber-cut',
  'subscriber-deaf',
  'bus-noise',
  'late-commands',
  'store-errors',
  'store-slow',
] as const;

export type FaultName = (typeof faultNames)[number];

/** Everything about a run that its seed decides, so that it can be printed. */
export interface SimProfile {
  readonly seed: number;
  readonly nodes: number;
  readonly documents: number;
  readonly peers: number;
  /** How long the world runs. */
  readonly durationMs: number;
  /** Which faults there are in this run, and how long it is from one to the next on average. */
  readonly faults: Readonly<Partial<Record<FaultName, number>>>;
  readonly network: NetworkManners;
  readonly load: LoadName;
  /** The share of the peers that write when something has just happened. */
  readonly rushShare: number;
  /** Between two bursts of ops of one peer, on average, and how large they are. */
  readonly burstEveryMs: number;
  readonly burstOpsMax: number;
  /** Null when no peer has any: to keep it alive is half of what a quiet cluster does. */
  readonly awarenessEveryMs: number | null;
  readonly requestEveryMs: number;
  readonly peerLifeMs: number;
  /** Between two visits of whoever runs the cluster. */
  readonly operatorEveryMs: number;
  readonly fastTakeover: boolean;
  readonly storeAnnounces: boolean;
  readonly documentEngine: 'json' | 'log';
  readonly dials: NodeDials;
  readonly selfProbeMs: number;
  /** Two of the machines run nodes that their operator gave one id. */
  readonly twins: boolean;
  /** How much clocks run fast or slow, at most. */
  readonly driftMax: number;
}

/** How much goes on in a world beside its faults. */
interface Load {
  readonly peers: readonly number[];
  readonly documents: readonly number[];
  readonly burstEveryMs: readonly [least: number, most: number];
  readonly burstOpsMax: readonly number[];
  readonly awarenessEveryMs: readonly (number | null)[];
  readonly requestEveryMs: readonly number[];
  readonly rushShare: number;
}

/**
 * Most worlds are quiet: what a fault does shows in the few ops that meet it, and the hours that are
 * saved are worth more seeds. The busy ones are for what only shows in a crowd.
 */
const loads = {
  quiet: {
    peers: [1, 2, 3],
    documents: [1, 2, 3],
    burstEveryMs: [40_000, 120_000],
    burstOpsMax: [1, 3],
    awarenessEveryMs: [60_000, null, null],
    requestEveryMs: [20_000, 40_000],
    rushShare: 0.2,
  },
  steady: {
    peers: [2, 3, 4],
    documents: [1, 2, 3, 4],
    burstEveryMs: [30_000, 90_000],
    burstOpsMax: [1, 3, 8],
    awarenessEveryMs: [30_000, 90_000, null, null],
    requestEveryMs: [10_000, 30_000],
    rushShare: 0.25,
  },
  busy: {
    peers: [3, 4, 6],
    documents: [2, 3, 4, 6],
    burstEveryMs: [20_000, 60_000],
    burstOpsMax: [1, 3, 8],
    awarenessEveryMs: [30_000, 90_000, null],
    requestEveryMs: [5_000, 20_000],
    rushShare: 0.3,
  },
} as const satisfies Record<string, Load>;

export type LoadName = keyof typeof loads;

function drawLoad(random: Random): LoadName {
  const drawn = random.fraction();
  return drawn < 0.5 ? 'quiet' : drawn < 0.8 ? 'steady' : 'busy';
}

export interface ProfileRequest {
  readonly seed: number;
  readonly hours: number;
  readonly nodes?: number | undefined;
  readonly documents?: number | undefined;
  readonly peers?: number | undefined;
  readonly faults?: readonly FaultName[] | undefined;
}

/** Rare ones, because what comes after one would drown in the next. */
const everyMs: Readonly<Record<FaultName, number>> = {
  crash: 40_000,
  'machine-crash': 90_000,
  pause: 40_000,
  suspend: 90_000,
  'clean-restart': 60_000,
  'wall-jump': 60_000,
  'cut-broker': 40_000,
  'cut-store': 60_000,
  'cut-peer': 60_000,
  'broker-restart': 90_000,
  'broker-wipe': 150_000,
  'broker-rewind': 120_000,
  'broker-clock': 150_000,
  'subscriber-cut': 30_000,
  'subscriber-deaf': 90_000,
  'bus-noise': 90_000,
  'late-commands': 90_000,
  'store-errors': 60_000,
  'store-slow': 90_000,
};

/**
 * Draws which faults exist in a run, and how often: a world with every fault at once never gets into
 * the states that a world with three of them does.
 */
export function drawProfile(request: ProfileRequest, random: Random): SimProfile {
  const between = (least: number, most: number) => least + random.fraction() * (most - least);
  const oneOf = <T>(...choices: readonly T[]) =>
    choices[Math.floor(random.fraction() * choices.length)] as T;
  const share = between(0.15, 0.6);
  const faults: Partial<Record<FaultName, number>> = {};
  for (const name of faultNames) {
    const drawn = random.fraction() < share;
    const pace = Math.round(everyMs[name] * between(0.5, 2));
    if (request.faults ? request.faults.includes(name) : drawn) faults[name] = pace;
  }
  if (Object.keys(faults).length === 0 && !request.faults) faults.crash = everyMs.crash;
  const load = drawLoad(random);
  const { rushShare, ...drawn }: Load = loads[load];
  const documents = oneOf(...drawn.documents);
  const peers = oneOf(...drawn.peers);
  return {
    seed: request.seed,
    documents: request.documents ?? documents,
    peers: request.peers ?? peers,
    durationMs: request.hours * 3_600_000,
    faults,
    network: oneOf(
      { delayMs: 0.2, jitterMs: 0.5 },
      { delayMs: 0.5, jitterMs: 5 },
      { delayMs: 2, jitterMs: 60 },
    ),
    ...{ load, rushShare },
    burstEveryMs: Math.round(between(...drawn.burstEveryMs)),
    burstOpsMax: oneOf(...drawn.burstOpsMax),
    awarenessEveryMs: oneOf(...drawn.awarenessEveryMs),
    requestEveryMs: oneOf(...drawn.requestEveryMs),
    peerLifeMs: oneOf(300_000, 900_000),
    operatorEveryMs: oneOf(60_000, 180_000),
    fastTakeover: random.fraction() < 0.8,
    storeAnnounces: random.fraction() < 0.5,
    documentEngine: oneOf('json', 'log'),
    dials: drawDials(random),
    // Probing for nothing takes a third of a quiet hour.
    selfProbeMs: random.fraction() < 0.25 || 'subscriber-deaf' in faults ? 2_000 : 10_000,
    driftMax: oneOf(0, 0.001, 0.009),
    twins: random.fraction() < 0.1,
    nodes: request.nodes ?? oneOf(2, 3, 4, 5),
  };
}

/** Mostly the defaults; now and then a cluster that snapshots, closes and gives up quickly. */
function drawDials(random: Random): NodeDials {
  const drawn = random.fraction();
  if (drawn < 0.65) return defaultDials;
  const quick = { snapshotOps: 10, snapshotMs: 20_000, idleDocumentMs: 15_000 };
  if (drawn < 0.85) return { ...defaultDials, ...quick };
  const short = { leaseTtlMs: 12_000, heartbeatMs: 2_000, nodeTimeoutMs: 8_000 };
  return { ...defaultDials, ...quick, ...short };
}
