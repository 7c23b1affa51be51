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
  /** Between two bursts of ops of one peer, on average, and how large they are. */
  readonly burstEveryMs: number;
  readonly burstOpsMax: number;
  readonly awarenessEveryMs: number;
  readonly requestEveryMs: number;
  readonly peerLifeMs: number;
  readonly fastTakeover: boolean;
  readonly storeAnnounces: boolean;
  readonly documentEngine: 'json' | 'log';
  readonly dials: NodeDials;
  /** Two of the machines run nodes that their operator gave one id. */
  readonly twins: boolean;
  /** How much clocks run fast or slow, at most. */
  readonly driftMax: number;
}

export interface ProfileRequest {
  readonly seed: number;
  readonly nodes: number;
  readonly hours: number;
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
  const oneOf = <T>(...choices: T[]) =>
    choices[Math.floor(random.fraction() * choices.length)] as T;
  const share = between(0.15, 0.6);
  const faults: Partial<Record<FaultName, number>> = {};
  for (const name of faultNames) {
    const drawn = random.fraction() < share;
    const pace = Math.round(everyMs[name] * between(0.5, 2));
    if (request.faults ? request.faults.includes(name) : drawn) faults[name] = pace;
  }
  if (Object.keys(faults).length === 0 && !request.faults) faults.crash = everyMs.crash;
  const documents = oneOf(1, 2, 3, 4, 6);
  const peers = oneOf(2, 3, 4, 6);
  return {
    seed: request.seed,
    nodes: request.nodes,
    documents: request.documents ?? documents,
    peers: request.peers ?? peers,
    durationMs: request.hours * 3_600_000,
    faults,
    network: oneOf(
      { delayMs: 0.2, jitterMs: 0.5 },
      { delayMs: 0.5, jitterMs: 5 },
      { delayMs: 2, jitterMs: 60 },
    ),
    burstEveryMs: Math.round(between(20_000, 60_000)),
    burstOpsMax: oneOf(1, 3, 8),
    awarenessEveryMs: oneOf(30_000, 90_000),
    requestEveryMs: oneOf(5_000, 20_000),
    peerLifeMs: oneOf(300_000, 900_000),
    fastTakeover: random.fraction() < 0.8,
    storeAnnounces: random.fraction() < 0.5,
    documentEngine: oneOf('json', 'log'),
    dials: drawDials(random),
    driftMax: oneOf(0, 0.001, 0.009),
    twins: random.fraction() < 0.1,
  };
}

/** Mostly the defaults; now and then a cluster that snapshots, closes and gives up quickly. */
function drawDials(random: Random): NodeDials {
  const drawn = random.fraction();
  if (drawn < 0.6) return defaultDials;
  const quick = { snapshotOps: 10, snapshotMs: 20_000, idleDocumentMs: 15_000 };
  if (drawn < 0.8) return { ...defaultDials, ...quick };
  const short = { leaseTtlMs: 12_000, heartbeatMs: 2_000, nodeTimeoutMs: 8_000 };
  return { ...defaultDials, ...quick, ...short };
}
