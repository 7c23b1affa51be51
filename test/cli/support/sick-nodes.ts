import { type Sickness, until } from './ward.ts';

/** Findings that have their cause in nodes, or in what they left. */
export const sickNodes: readonly Sickness[] = [
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
    code: 'CACHE',
    what: 'a region that two nodes set up in two ways',
    exit: 1,
    async bring({ node }) {
      for (const [nodeId, staleness] of [
        ['node-fresh', 5_000],
        ['node-stale', 9_000],
      ] as const) {
        const { caches } = await node(nodeId);
        const region = caches.create({ region: 'prices', stalenessMs: staleness });
        await region.get('tea', () => '2');
      }
    },
  },
  {
    code: 'RELAY',
    what: 'a node that may not redirect where it should',
    exit: 1,
    async bring({ serve, backplane }) {
      await serve('node-far', '--redirect', '--public-url', 'http://far.example:8080');
      await serve('node-near', '--redirect');
      const { code } = await backplane(
        'relay',
        'ping',
        'node-near',
        'node-far',
        '--via',
        'redirect',
      );
      if (code !== 2) throw new Error(`the redirect was not refused: ${code}`);
    },
  },
  {
    code: 'QUEUES',
    what: 'calls that wait for a node that stands still',
    exit: 1,
    async bring(ward) {
      const asking = await ward.node('node-asking');
      const mute = await ward.serve('node-mute', '--node-timeout', '60s', '--lease-ttl', '60s');
      mute.kill('SIGSTOP');
      const call = () =>
        asking.request({ kind: 'node', nodeId: 'node-mute' }, 'ping', Buffer.from('1'), {
          // Longer than a doctor takes on the busiest machine.
          timeoutMs: 90_000,
        });
      const calls: Promise<unknown>[] = [];
      while (calls.length < 1_050) {
        calls.push(...Array.from({ length: 150 }, () => call().catch(() => {})));
        // One by one, a starved broker answers them; all at once, it would be found slow instead.
        await until(async () => (asking.metrics().gauges.requests_pending ?? 0) >= calls.length);
      }
      ward.after(() => Promise.all(calls));
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
