import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSqliteStore } from '../../src/drivers/sqlite/sqlite-store.ts';
import { SystemClock } from '../../src/drivers/system/system-clock.ts';
import { SystemRandom } from '../../src/drivers/system/system-random.ts';
import { silentLogger } from '../../src/ports/logger.ts';
import { judge, type LoggedOp, logged, until } from './judge.ts';
import type { PeerLoad } from './peer-load.ts';
import { ServedCluster } from './served-cluster.ts';

const doc = 'doc-emptied';
let folder: string;
let cluster: ServedCluster;
let peers: PeerLoad[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'backplane-emptied-'));
  const dials = ['--lease-ttl', '6s', '--heartbeat', '1s', '--node-timeout', '4s'];
  cluster = await ServedCluster.start(3, ['--store', `sqlite:${folder}/log.sqlite`, ...dials]);
  peers = await cluster.join(doc, 4);
  for (const peer of peers) peer.start(5);
}, 60_000);

afterAll(async () => {
  await cluster.stop();
  await rm(folder, { recursive: true });
});

test('a Redis that comes back empty costs no acknowledged op', async () => {
  const { clusterRecords } = await cluster.engine();
  const agreed = await clusterRecords.read();
  for (let round = 0; round < 3; round++) {
    await moreOps(20);
    const highest = Math.max(...peers.flatMap(({ acked }) => acked.map(({ epoch }) => epoch)));
    await cluster.redis.restartEmpty();
    await moreOps(20);
    const later = peers.flatMap(({ acked }) => acked.slice(-1).map(({ epoch }) => epoch));
    expect(Math.min(...later), 'epochs grow, whatever the broker forgot').toBeGreaterThan(highest);
    await until(
      'the nodes to have agreed again',
      async () => (await clusterRecords.read()) !== null,
    );
    expect(await clusterRecords.read()).toEqual(agreed);
  }
  await Promise.all(peers.map((peer) => peer.finish()));
  const log = await readLog();
  await until('every peer to have seen the log', () =>
    peers.every(({ delivered }) => delivered.length >= log.length),
  );
  judge(log, peers);
}, 150_000);

async function moreOps(count: number): Promise<void> {
  const enough = peers.map(({ acked }) => acked.length + count);
  await until(
    () => `${count} more ops of every peer; failures: ${peers.flatMap(({ failed }) => failed)}`,
    () => peers.every(({ acked }, index) => acked.length >= (enough[index] as number)),
  );
}

async function readLog(): Promise<LoggedOp[]> {
  const machine = { clock: new SystemClock(), random: new SystemRandom(), logger: silentLogger };
  const store = await openSqliteStore(`${folder}/log.sqlite`, machine);
  const log: LoggedOp[] = [];
  for (;;) {
    const page = await store.read(doc, log.length, 1_000);
    if (page.length === 0) break;
    log.push(...page.map(logged));
  }
  await store.close();
  return log;
}
