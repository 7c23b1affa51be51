import { connect, type Socket } from 'node:net';
import { type RedisServer, startRedisServer } from '../../support/redis-server.ts';
import { type Sickness, until, type Ward } from './ward.ts';

const config = (name: string, value: string, healthy: string) => async (ward: Ward) => {
  const { redis } = ward.cluster;
  ward.after(() => redis.cli('CONFIG', 'SET', name, healthy));
  await redis.cli('CONFIG', 'SET', name, value);
};

/** A program of somebody else, which speaks to the broker and does not come back when it is cut. */
async function stranger(ward: Ward, speak: (socket: Socket) => void): Promise<void> {
  const socket = connect(ward.cluster.redis.port, '127.0.0.1');
  ward.after(async () => socket.destroy());
  socket.on('error', () => {});
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  speak(socket);
}

const listeners = ({ cluster }: Ward, session: string) =>
  cluster.engine.bus.receivers(`inbox:${session}`);

/** Findings that have their cause in the broker, or in who is connected to it. */
export const sickBrokers: readonly Sickness[] = [
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
    code: 'FOREIGN-CLUSTER',
    what: 'another cluster in another database of the server',
    exit: 1,
    bring: ({ serve, cluster }) =>
      serve('node-stranger', '--url', `redis://127.0.0.1:${cluster.redis.port}/7`),
  },
  {
    code: 'NEEDLESS-SUBSCRIBER',
    what: 'a program that listens on the inbox of a node',
    exit: 1,
    async bring(ward) {
      const [node] = await ward.cluster.engine.sessions.list();
      const session = node?.id ?? '';
      await stranger(ward, (socket) => socket.write(`SUBSCRIBE backplane:inbox:${session}\r\n`));
      await until(async () => (await listeners(ward, session)) === 2);
    },
  },
  {
    code: 'NEEDLESS-SUBSCRIBER',
    what: 'a node that was given up and stands still, its connections open',
    exit: 1,
    async bring(ward) {
      const node = await ward.serve('node-frozen');
      node.kill('SIGSTOP');
      await ward.backplane('node', 'evict', node.session, '--force');
      await until(async () => (await listeners(ward, node.session)) === 1);
    },
  },
  {
    code: 'BROKER-SLOW',
    what: 'a broker that a program holds up',
    exit: 1,
    // Of a cluster that is still to come: reading the leases of one would take a minute now.
    prefix: 'to-come:',
    async bring(ward) {
      const { cli } = ward.cluster.redis;
      const loop = (times: number) => `for i = 1, ${times} do end return 'held'`;
      // A script has no clock that goes on: how long a loop takes here is found out first, a few
      // times, as something else may have had the processor.
      const tries: number[] = [];
      for (let turn = 0; turn < 5; turn++) {
        await cli('EVAL', loop(4_000_000), '0');
        tries.push(Number((await cli('SLOWLOG', 'GET', '1')).split('\n')[2]));
      }
      const micros = Math.min(...tries);
      const hold = loop(Math.round((4_000_000 * 150_000) / micros));
      // Two of them: while one hears its answer the other is in the way.
      for (let turn = 0; turn < 2; turn++) {
        await stranger(ward, (socket) => {
          const again = () => socket.write(`EVAL ${JSON.stringify(hold)} 0\r\n`);
          socket.on('data', again);
          again();
        });
      }
    },
  },
];
