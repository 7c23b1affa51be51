import { afterAll, beforeAll, expect, test } from 'vitest';
import { isBackplaneError } from '../../src/foundation/errors.ts';
import { until } from './judge.ts';
import type { PeerLoad } from './peer-load.ts';
import { ServedCluster } from './served-cluster.ts';

const doc = 'doc-rewound';
let cluster: ServedCluster;
let peers: PeerLoad[];

beforeAll(async () => {
  const dials = ['--lease-ttl', '6s', '--heartbeat', '1s', '--node-timeout', '4s'];
  cluster = await ServedCluster.start(2, dials);
  peers = await cluster.join(doc, 2);
  for (const peer of peers) peer.start(5);
}, 60_000);

afterAll(() => cluster.stop());

test('a Redis store that comes back empty is reported, never gone on with in silence', async () => {
  await until('some ops', () => peers.every(({ acked }) => acked.length > 20));
  await Promise.all(peers.map((peer) => peer.finish()));
  const known = await cluster.log(doc);
  await cluster.redis.restartEmpty();
  const before = peers.map(({ acked }) => acked.length);
  for (const peer of peers) peer.start(50);
  const isReported = ({ failed }: PeerLoad) =>
    failed.some((error) => isBackplaneError(error, 'LOG_REWOUND'));
  await until('every peer to be told of the loss', () => peers.every(isReported));
  await Promise.all(peers.map((peer) => peer.finish()));
  expect(known.length).toBeGreaterThan(40);
  expect(
    peers.map(({ acked }) => acked.length),
    'ops acknowledged on a log that had lost its past',
  ).toEqual(before);
}, 90_000);
