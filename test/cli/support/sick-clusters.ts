import type { BackplaneNode } from '../../../src/runtime/node.ts';
import type { NodeCluster } from '../../support/node-cluster.ts';
import { type RedisServer, startRedisServer } from '../../support/redis-server.ts';
import { type ServedNode, serveNode } from '../../support/serve-node.ts';

/** What a sickness is brought about with; whatever is started here is stopped at the end. */
export interface Ward {
  readonly cluster: NodeCluster;
  /** Starts a real node, with a fast heartbeat. */
  serve(nodeId: string, ...args: string[]): Promise<ServedNode>;
  node(nodeId: string): Promise<BackplaneNode>;
  /** Called when the test is over. */
  after(undo: () => Promise<unknown>): void;
}

/** A cluster with one thing wrong. */
export interface Sickness {
  readonly code: string;
  readonly what: string;
  /** 1: a warning; 2: critical. */
  readonly exit: 1 | 2;
  bring(ward: Ward): Promise<unknown>;
  /** It has this cause, which is found as well and to be mended first. */
  readonly also?: string;
}

const config = (name: string, value: string, healthy: string) => async (ward: Ward) => {
  const { redis } = ward.cluster;
  ward.after(() => redis.cli('CONFIG', 'SET', name, healthy));
  await redis.cli('CONFIG', 'SET', name, value);
};

/** Each of the findings that matter, brought about on a real Redis with real nodes. */
export const sicknesses: readonly Sickness[] = [
  {
    code: 'EVICTION',
    what: 'a Redis that evicts keys',
    exit: 1,
    bring: config('maxmemory-policy', 'allkeys-lru', 'noeviction'),
  },
  {
    code: 'MEMORY',
    what: 'a Redis at its memory limit',
    exit: 2,
    async bring(ward) {
      const used = /used_memory:(\d+)/.exec(await ward.cluster.redis.cli('INFO', 'memory'))?.[1];
      await config('maxmemory', String(Math.round(Number(used) * 1.02)), '0')(ward);
    },
  },
  {
    code: 'PERSISTENCE',
    what: 'a Redis that writes nothing to disk',
    exit: 2,
    bring: config('appendonly', 'no', 'yes'),
  },
  {
    code: 'REPLICATION',
    what: 'a primary that goes on without its replica',
    exit: 1,
    async bring(ward) {
      const { redis } = ward.cluster;
      const replica: RedisServer = await startRedisServer({
        args: ['--replicaof', '127.0.0.1', String(redis.port)],
      });
      ward.after(async () => {
        await redis.cli('CONFIG', 'SET', 'min-replicas-to-write', '0');
        await replica.stop();
      });
      await until(async () => /connected_slaves:1/.test(await redis.cli('INFO', 'replication')));
    },
  },
  {
    code: 'OUTPUT-BUFFER',
    what: 'subscribers that are cut with one batch waiting',
    exit: 2,
    bring: config(
      'client-output-buffer-limit',
      'pubsub 1048576 524288 5',
      'pubsub 33554432 8388608 60',
    ),
  },
  {
    code: 'IDLE-TIMEOUT',
    what: 'a Redis that hangs up between two heartbeats',
    exit: 1,
    bring: config('timeout', '1', '0'),
  },
  {
    code: 'OPEN-SERVER',
    what: 'a Redis on every address that asks for no password',
    exit: 2,
    async bring(ward) {
      await config('bind', '* -::*', '127.0.0.1')(ward);
      await config('protected-mode', 'no', 'yes')(ward);
    },
  },
  {
    code: 'ACL',
    what: 'nodes whose user lacks commands and a channel',
    exit: 2,
    async bring(ward) {
      const { redis } = ward.cluster;
      const rules = ['reset', 'on', 'nopass', '~backplane:*', '&backplane:*', '+@all'];
      await redis.cli('ACL', 'SETUSER', 'app', ...rules);
      ward.after(() => redis.cli('ACL', 'DELUSER', 'app'));
      await ward.serve('node-app', '--url', `redis://app:x@127.0.0.1:${redis.port}`);
      await redis.cli('ACL', 'SETUSER', 'app', '-xadd', '-pubsub|numsub', '-hdel');
    },
  },
  {
    code: 'FOREIGN-KEYS',
    what: 'another program that writes under our prefix',
    exit: 1,
    bring: ({ cluster }) => cluster.redis.cli('SET', 'backplane:cart of bob', '1'),
  },
  {
    code: 'SLOW-SUBSCRIBER',
    what: 'a subscriber that does not read',
    exit: 1,
    async bring(ward) {
      const { redis } = ward.cluster;
      const { connect } = await import('node:net');
      const socket = connect(redis.port, '127.0.0.1');
      ward.after(async () => socket.destroy());
      socket.on('error', () => {}).pause();
      socket.write('SUBSCRIBE backplane:doc:slow\r\n');
      await until(async () =>
        /slow\n1/.test(await redis.cli('PUBSUB', 'NUMSUB', 'backplane:doc:slow')),
      );
      // More than the kernel holds for it; less than what it is cut at.
      const filler = `local x = string.rep('x', 262144) for i = 1, 56 do redis.call('PUBLISH', 'backplane:doc:slow', x) end`;
      await redis.cli('EVAL', filler, '0');
    },
  },
  {
    code: 'DEAF-NODE',
    what: 'a node that beats and hears nothing',
    exit: 2,
    also: 'BP-CHECK-ACL',
    async bring(ward) {
      const { redis } = ward.cluster;
      const rules = ['reset', 'on', 'nopass', '~backplane:*', '&backplane:*', '+@all'];
      await redis.cli('ACL', 'SETUSER', 'deaf', ...rules);
      ward.after(() => redis.cli('ACL', 'DELUSER', 'deaf'));
      const node = await ward.serve('node-deaf', '--url', `redis://deaf:x@127.0.0.1:${redis.port}`);
      // Redis cuts its subscriber connection, and lets it subscribe to nothing again.
      await redis.cli('ACL', 'SETUSER', 'deaf', 'resetchannels', '&other:*');
      const inbox = `backplane:inbox:${node.session}`;
      await until(async () => !(await redis.cli('PUBSUB', 'NUMSUB', inbox)).endsWith('1'));
    },
  },
  {
    code: 'SILENT-NODE',
    what: 'a node that stands still',
    exit: 2,
    async bring({ serve, cluster }) {
      const node = await serve('node-still', '--node-timeout', '60s');
      node.kill('SIGSTOP');
      const lastBeatAgoMs = async () =>
        (await cluster.engine.sessions.read(node.session))?.lastBeatAgoMs ?? 0;
      await until(async () => (await lastBeatAgoMs()) > 1_500);
    },
  },
  {
    code: 'DUPLICATE-ID',
    what: 'two nodes with one id',
    exit: 1,
    bring: ({ node }) => node('node-a'),
  },
  {
    code: 'SETTINGS',
    what: 'a node with other settings',
    exit: 1,
    bring: ({ serve }) => serve('node-other', '--lease-ttl', '29s'),
  },
  {
    code: 'LEAVINGS',
    what: 'a lease of a session that nobody remembers',
    exit: 1,
    bring: ({ cluster }) => cluster.engine.leases.claim('left-behind', null, 'ghost'),
  },
  {
    code: 'PRESENCE',
    what: 'connections of a session that nobody remembers',
    exit: 1,
    async bring({ cluster }) {
      const keys = [
        ['hub:quiet', 'ghost', '7'],
        ['hubs', 'quiet', 'quiet'],
        ['hubs-of:ghost', 'quiet', 'quiet'],
        ['reg:ghost:quiet', 'c-1', '{}'],
      ];
      for (const [key, ...pair] of keys) {
        await cluster.redis.cli('HSET', `backplane:{s}:${key}`, ...pair);
      }
    },
  },
  {
    code: 'LONG-LOG',
    what: 'a long log without a snapshot',
    exit: 1,
    async bring({ cluster }) {
      await cluster.writeMany('long', 1_020);
      const snapshot = 'backplane:doc:{long}:snapshot';
      await until(async () => (await cluster.redis.cli('EXISTS', snapshot)) === '1');
      await cluster.redis.cli('DEL', snapshot);
    },
  },
];

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 15_000;
  while (performance.now() < deadline) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('what was waited for never came');
}

/** A ward that cleans up after itself. */
export function openWard(cluster: NodeCluster): Ward & { close(): Promise<void> } {
  const undo: (() => Promise<unknown>)[] = [];
  return {
    cluster,
    after: (step) => void undo.push(step),
    async serve(nodeId, ...args) {
      const fast = ['--heartbeat', '500ms', '--port', '0', '--node-id', nodeId];
      const url = args.includes('--url') ? [] : ['--url', cluster.url];
      const served = await serveNode({ args: [...url, ...fast, ...args] });
      undo.push(async () => {
        // In order, so that it leaves nothing for the next test to find.
        for (const signal of ['SIGCONT', 'SIGTERM'] as const) served.kill(signal);
        await served.ended;
      });
      return served;
    },
    async node(nodeId) {
      const node = await cluster.node(nodeId);
      undo.push(() => node.stop());
      return node;
    },
    async close() {
      for (const step of undo.reverse()) await step();
    },
  };
}
