import { openRedisEngine, type RedisEngine } from '../../src/drivers/redis/redis-engine.ts';
import { SystemRandom } from '../../src/drivers/system/system-random.ts';
import { dials } from '../../src/foundation/limits.ts';
import { parseEngineUrl } from '../../src/foundation/url.ts';
import { silentLogger } from '../../src/ports/logger.ts';
import type { BackplaneNode } from '../../src/runtime/node.ts';
import { NodeRuntime } from '../../src/runtime/node-runtime.ts';
import { realClock } from './real-clock.ts';
import { type RedisServer, startRedisServer } from './redis-server.ts';

/** A real Redis and nodes in this process, which a test can give methods, freeze and crash. */
export interface NodeCluster {
  readonly redis: RedisServer;
  readonly url: string;
  /** For a test to arrange what it then looks at through the command line. */
  readonly engine: RedisEngine;
  node(nodeId: string, documentEngine?: 'json' | 'log'): Promise<BackplaneNode>;
  /** Submits an op for a test that is about something else. */
  write(doc: string, payload: string): Promise<void>;
  /** So many ops of one peer. */
  writeMany(doc: string, ops: number): Promise<void>;
  stop(): Promise<void>;
}

export async function startNodeCluster(...nodeIds: string[]): Promise<NodeCluster> {
  const redis = await startRedisServer();
  const world = { clock: realClock, random: new SystemRandom(), logger: silentLogger };
  const address = parseEngineUrl(redis.url);
  if (address.kind !== 'redis') throw new Error(`${redis.url} is no Redis`);
  const opened: RedisEngine[] = [];
  const nodes: BackplaneNode[] = [];
  const open = async () => {
    const engine = await openRedisEngine(address.address, world);
    opened.push(engine);
    return engine;
  };
  const cluster: NodeCluster = {
    redis,
    url: redis.url,
    engine: await open(),
    async node(nodeId, documentEngine = 'json') {
      const engine = await open();
      const node = new NodeRuntime(
        { engine, store: engine.openStore(), ...world },
        {
          nodeId,
          version: '0.0.0-test',
          pid: process.pid,
          address: () => null,
          // What a node says of itself is as old as its last beat; tests look often.
          dials: { ...dials, heartbeatMs: 500 },
          fastTakeover: true,
          documentEngine,
          drainRequested: () => void node.stop(),
        },
      );
      await node.start();
      nodes.push(node);
      return node;
    },
    async write(doc, payload) {
      const peer = world.random.token(8);
      const [node] = nodes;
      if (!node) throw new Error('the cluster has no node to write through');
      await node.submit(doc, { peer, counter: 1, payload: Buffer.from(payload) });
    },
    async writeMany(doc, ops) {
      const peer = world.random.token(8);
      const [node] = nodes;
      if (!node) throw new Error('the cluster has no node to write through');
      const numbers = Array.from({ length: ops }, (_, at) => at + 1);
      const submit = (counter: number) =>
        node.submit(doc, { peer, counter, payload: Buffer.from(`{"n":${counter}}`) });
      await Promise.all(numbers.map(submit));
    },
    async stop() {
      await Promise.all(nodes.map((node) => node.stop('crash').catch(() => {})));
      await Promise.all(opened.map((engine) => engine.close().catch(() => {})));
      await redis.stop();
    },
  };
  for (const nodeId of nodeIds) await cluster.node(nodeId);
  return cluster;
}
