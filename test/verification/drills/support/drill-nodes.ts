import { fileURLToPath } from 'node:url';
import type { DrillCluster } from '../../../../src/verification/drills/drill-cluster.ts';
import type { FaultSite } from '../../../../src/verification/drills/fault.ts';
import {
  type NodeEvent,
  NodeProcess,
  type NodeProcessOptions,
} from '../../../../src/verification/drills/nodes/node-process.ts';
import { SeededRandom } from '../../../../src/verification/seeded-random.ts';
import { realClock } from '../../../support/real-clock.ts';
import type { RedisServer } from '../../../support/redis-server.ts';

const bin = fileURLToPath(new URL('../../../../bin/backplane.js', import.meta.url));

export interface DrilledNode {
  readonly node: NodeProcess;
  readonly events: NodeEvent[];
  /** Processes the warden was told of and not told to forget. */
  readonly watched: Set<number>;
}

/** A node as drills run it, without anything between it and its Redis. */
export async function drilledNode(
  redis: RedisServer,
  changes: Partial<NodeProcessOptions> = {},
): Promise<DrilledNode> {
  const events: NodeEvent[] = [];
  const watched = new Set<number>();
  const node = await NodeProcess.create({
    nodeId: 'node-1',
    program: [process.execPath, bin],
    proxy: { port: redis.port, close: async () => {} } as NodeProcessOptions['proxy'],
    storeUrl: null,
    serve: {},
    environment: process.env,
    clock: realClock,
    random: new SeededRandom(process.pid),
    warden: {
      watchProcess: (pid) => void watched.add(pid),
      forgetProcess: (pid) => void watched.delete(pid),
    },
    observe: (event) => void events.push(event),
    ...changes,
  });
  return { node, events, watched };
}

/** Where a fault is done to this node; nothing else of the cluster is asked for. */
export function siteOf(node: NodeProcess): FaultSite {
  const cluster = { nodes: [node] } as unknown as DrillCluster;
  return { cluster, node, clock: realClock, random: new SeededRandom(1) };
}

/** The names of the events that the node told, with their facts. */
export function toldBy(events: readonly NodeEvent[]) {
  return events.flatMap((event) =>
    event.kind === 'line' && event.line.type === 'event'
      ? [{ name: event.line.name, at: event.line.at, facts: event.line.facts }]
      : [],
  );
}
