import { describe, expect, test } from 'vitest';
import { checks } from '../../src/operations/diagnose/checks.ts';
import { diagnose } from '../../src/operations/diagnose/doctor.ts';
import type { Evidence } from '../../src/operations/diagnose/evidence.ts';
import type { BrokerClient } from '../../src/ports/examination.ts';
import {
  cacheRegion,
  healthyEvidence,
  healthyNode,
  withBroker,
  withCaches,
  withNode,
  withTrouble,
  withWorkspace,
} from './support/healthy-evidence.ts';

function withInboxes(listeners: Readonly<Record<string, number>>): Pick<Evidence, 'channels'> {
  const rows = Object.entries(listeners).map(([session, receivers]) => {
    return { channel: `inbox:${session}`, receivers };
  });
  return { channels: { rows, counted: rows.length, truncated: false } };
}

function subscriber(about: { name: string; db?: number }): BrokerClient {
  return {
    ...{ id: '9', address: '10.0.0.9:1', user: 'default', db: 0, subscriptions: 2, ...about },
    ...{ waitingBytes: 0, growthPerSecond: 0, idleMs: 0, ageMs: 0 },
  };
}

/** What is wrong, what the doctor must call it, how bad it is, and what it must print. */
const cases: readonly (readonly [string, Evidence, string, string, RegExp])[] = [
  ['a broker far away', withBroker({ roundTripMs: 80 }), 'BROKER-SLOW', 'warning', /commandstats/],
  [
    'a stranger who holds the broker up',
    withBroker({
      roundTripMs: 80,
      slow: [
        { command: 'KEYS', tookMs: 900, agoMs: 90_000, address: '10.0.0.8:1', client: '' },
        { command: 'KEYS', tookMs: 300, agoMs: 2_000, address: '10.0.0.9:1', client: 'cron' },
        { command: 'EVAL', tookMs: 70, agoMs: 2_000, address: '10.0.0.1:1', client: 'backplane-x' },
      ],
    }),
    ...(['BROKER-SLOW', 'warning', /^redis-cli .* CLIENT KILL ADDR 10.0.0.9:1$/] as const),
  ],
  ['a server too old', withBroker({ version: '6.0.16' }), 'BROKER-VERSION', 'critical', /^$/],
  ['a Redis 6.2', withBroker({ version: '6.2.1' }), 'BROKER-VERSION', 'note', /^$/],
  [
    'a replica',
    withBroker({ state: { role: 'replica' } }),
    'REPLICA',
    'critical',
    /REPLICAOF NO ONE/,
  ],
  [
    'an eviction policy at a limit',
    withBroker({ settings: { evictionPolicy: 'allkeys-lru', memoryBytesMax: 5_000_000 } }),
    ...(['EVICTION', 'critical', /maxmemory-policy noeviction/] as const),
  ],
  [
    'memory that runs out',
    withBroker({ settings: { memoryBytesMax: 1_100_000 } }),
    ...(['MEMORY', 'warning', /CONFIG SET maxmemory 2200000/] as const),
  ],
  [
    'an append-only file that cannot be written',
    withBroker({ state: { appendFileOk: false } }),
    ...(['PERSISTENCE', 'critical', /BGSAVE/] as const),
  ],
  [
    'more replicas needed than there are',
    withBroker({ settings: { replicasToWriteMin: 2 } }),
    ...(['REPLICATION', 'critical', /min-replicas-to-write 0/] as const),
  ],
  [
    'nodes that may not fence',
    withBroker({
      rights: [
        { user: 'app', isOfNodes: true, denied: [{ what: 'HSET', rule: '+hset', toLook: false }] },
      ],
    }),
    ...(['ACL', 'critical', /ACL SETUSER app \+hset/] as const),
  ],
  [
    'an open server that others reach from outside',
    withBroker({ settings: { bind: [], protectedMode: false } }),
    ...(['OPEN-SERVER', 'critical', /protected-mode yes/] as const),
  ],
  [
    'nodes of another database on our channels',
    {
      ...withBroker({ clients: [subscriber({ name: 'backplane-subscriber', db: 3 })] }),
      ...withInboxes({ 'session-of-web-9': 1 }),
    },
    ...([
      'FOREIGN-CLUSTER',
      'warning',
      /node drain session-of-web-9 --url redis:\/\/127.0.0.1:6379\/3/,
    ] as const),
  ],
  [
    'frames of another cluster',
    withNode({ report: { metrics: { counters: { frames_foreign_total: 3 }, gauges: {} } } }),
    ...(['FOREIGN-CLUSTER', 'note', /^$/] as const),
  ],
  [
    'frames of another cluster, where it may not be seen who is there',
    {
      ...withNode({ report: { metrics: { counters: { frames_foreign_total: 3 }, gauges: {} } } }),
      broker: withBroker({ clients: null }).broker,
    },
    ...(['FOREIGN-CLUSTER', 'warning', /CLIENT LIST/] as const),
  ],
  [
    'no node',
    healthyEvidence({ sessions: [], nodes: [] }),
    'NO-NODES',
    'critical',
    /backplane serve/,
  ],
  [
    'a node that beats and did not answer',
    withNode({ answer: { report: null, failure: 'DEADLINE_EXCEEDED' } }),
    ...(['DEAF-NODE', 'critical', /node evict session-of-web-2 --force/] as const),
  ],
  [
    'a node that cannot write',
    withNode({
      report: {
        readiness: {
          ready: false,
          checks: [{ name: 'store', ok: false, detail: 'full', tookMs: 1 }],
        },
      },
    }),
    ...(['NOT-READY', 'critical', /node drain web-2/] as const),
  ],
  [
    'another version',
    withNode({
      session: { description: { ...healthyNode('web-2').session.description, version: '0.9.0' } },
    }),
    ...(['VERSIONS', 'warning', /node drain session-of-web-/] as const),
  ],
  [
    'a clock that is off',
    withNode({ answer: { clockAheadMs: -4_000 } }),
    'CLOCKS',
    'warning',
    /set-ntp/,
  ],
  [
    'an event loop that stood still',
    withNode({
      report: { strain: { loopLagMs: 15_000, sessionMarginMs: 20_000, renewalMs: 1, overMs: 9 } },
    }),
    ...(['LOOP-LAG', 'critical', /node drain session-of-web-2/] as const),
  ],
  [
    'a session that was nearly lost',
    withNode({
      report: { strain: { loopLagMs: 1, sessionMarginMs: 900, renewalMs: 1_900, overMs: 9 } },
    }),
    ...(['NEAR-MISS', 'critical', /SLOWLOG/] as const),
  ],
  [
    'a session lost before',
    withNode({ report: { metrics: { counters: { sessions_lost_total: 1 }, gauges: {} } } }),
    ...(['NEAR-MISS', 'note', /explain node:web-2/] as const),
  ],
  [
    'documents in the memory of a process',
    healthyEvidence({
      cluster: { id: 'c', buckets: 8_192, storeIdentity: 'memory:x', documentEngine: 'json' },
    }),
    ...(['VOLATILE-STORE', 'warning', /serve --store redis:/] as const),
  ],
  [
    'a log that lost ops',
    withNode({ report: { metrics: { counters: { documents_quarantined_total: 1 }, gauges: {} } } }),
    ...(['QUARANTINE', 'critical', /node drain/] as const),
  ],
  [
    'peers where nobody hears the channel',
    withNode({ report: { followed: [{ doc: 'a b', seq: 1, followers: 2 }] } }),
    ...(['MISSING-SUBSCRIBER', 'critical', /node evict session-of-web-2 --force/] as const),
  ],
  [
    'a second listener on an inbox',
    healthyEvidence(withInboxes({ 'session-of-web-1': 2 })),
    ...(['NEEDLESS-SUBSCRIBER', 'warning', /CLIENT KILL TYPE pubsub/] as const),
  ],
  [
    'a stranger who listens on an inbox',
    {
      ...withBroker({ clients: [subscriber({ name: '' })] }),
      ...withInboxes({ 'session-of-web-1': 2 }),
    },
    ...(['NEEDLESS-SUBSCRIBER', 'warning', /CLIENT KILL ID 9$/] as const),
  ],
  [
    'connections of a dead session that nobody cleared',
    withTrouble({ kind: 'left-behind', session: 'session-of-web-2', nodeId: null }),
    ...(['PRESENCE', 'warning', /node evict session-of-web-2$/] as const),
  ],
  [
    'a node that hears of no connection',
    withTrouble({ kind: 'behind', session: 'session-of-web-1', seenBy: 'web-2' }),
    ...(['PRESENCE', 'warning', /node evict session-of-web-2 --force/] as const),
  ],
  [
    'connections that the broker has forgotten',
    withTrouble({ kind: 'unregistered', session: 'session-of-web-1', seenBy: 'broker' }),
    ...(['PRESENCE', 'warning', /node evict session-of-web-1 --force/] as const),
  ],
  [
    'a cache that goes on serving what it cannot prove',
    withCaches(cacheRegion({ state: 'cut', whenCut: 'serve' })),
    ...(['CACHE', 'critical', /explain node:web-1/] as const),
  ],
  [
    'a cache that loads everything again',
    withCaches(cacheRegion({ state: 'cut' })),
    ...(['CACHE', 'warning', /explain node:web-1/] as const),
  ],
  [
    'a region that two nodes set up in two ways',
    withCaches(cacheRegion({}), cacheRegion({ nodeId: 'web-2', l2: true })),
    ...(['CACHE', 'warning', /node drain session-of-web-2/] as const),
  ],
  [
    'announcements that were missed',
    withCaches(cacheRegion({ gaps: 2 })),
    ...(['CACHE', 'note', /inspect cache --filter 'gaps>0'/] as const),
  ],
  [
    'browsers without a daemon',
    withWorkspace({ nodeId: null, browsers: 2 }),
    ...(['RELAY', 'note', /inspect relay ws-1/] as const),
  ],
  [
    'redirects to a host that is not allowed',
    withNode({
      report: { metrics: { counters: { relay_redirects_refused_total: 4 }, gauges: {} } },
    }),
    ...(['RELAY', 'warning', /node drain session-of-web-2/] as const),
  ],
  [
    'frames that nobody takes',
    withWorkspace({ queuedBytes: 5_000_000 }),
    ...(['QUEUES', 'warning', /inspect relay ws-1/] as const),
  ],
  [
    'requests that nobody answers',
    withNode({ report: { metrics: { counters: {}, gauges: { requests_pending: 4_000 } } } }),
    ...(['QUEUES', 'warning', /explain node:web-2/] as const),
  ],
];

describe('the doctor', () => {
  test('finds nothing where nothing is wrong, and skips nothing', () => {
    const report = diagnose(healthyEvidence());
    expect(report).toMatchObject({ verdict: 'ok', findings: [], nodes: 2 });
    expect(report.checks.filter(({ result }) => result === 'skipped')).toEqual([]);
  });

  test.each(cases)('finds %s', (_, evidence, code, severity, command) => {
    const found = diagnose(evidence).findings.filter((each) => each.code === `BP-CHECK-${code}`);
    expect(found.map((each) => each.severity)).toEqual([severity]);
    expect(found.flatMap(({ mend }) => mend).join('\n')).toMatch(command);
    // Whoever is given no command is told what to do.
    expect(found.filter(({ mend, advice }) => mend.length === 0 && advice === null)).toEqual([]);
  });

  test('tells of a cache that is cut off once, though its node is not ready either', () => {
    const checks = [{ name: 'cache' as const, ok: false, detail: 'late', tookMs: null }];
    const node = withNode({ report: { readiness: { ready: false, checks } } });
    const found = diagnose({ ...node, caches: withCaches(cacheRegion({ state: 'cut' })).caches });
    expect(found.findings.map(({ code }) => code)).toEqual(['BP-CHECK-CACHE']);
  });

  test('judges a broken node once, and not by every check', () => {
    const evidence = withNode({ session: { lastBeatAgoMs: 12_000, expiresInMs: 18_000 } });
    expect(diagnose(evidence).findings.map(({ code }) => code)).toEqual(['BP-CHECK-SILENT-NODE']);
  });

  test('has a file for each check, and every check looks at evidence without a broker', () => {
    const bare = healthyEvidence({ broker: null });
    for (const check of checks) expect(() => check.look(bare)).not.toThrow();
    expect(diagnose(bare).verdict).toBe('ok');
  });

  test('prints commands that a shell takes apart as they were meant', () => {
    const evidence = healthyEvidence({
      target: { url: 'redis://h', store: null, prefix: "a'b", flags: ['--prefix', "a'b"] },
      ...{ sessions: [], nodes: [] },
    });
    const [command] = diagnose(evidence).findings.flatMap(({ mend }) => mend);
    expect(command).toBe(`backplane serve --prefix 'a'\\''b'`);
  });
});
