import { afterAll, beforeAll, expect, test } from 'vitest';
import { judge, percentile, until } from './judge.ts';
import type { PeerLoad } from './peer-load.ts';
import { ServedCluster } from './served-cluster.ts';

const doc = 'doc-killed';
const kills = 20;
let cluster: ServedCluster;
let peers: PeerLoad[];

beforeAll(async () => {
  cluster = await ServedCluster.start(3);
  peers = await cluster.join(doc, 4);
  for (const peer of peers) peer.start(4);
}, 60_000);

afterAll(() => cluster.stop());

test('loses and doubles no acknowledged op when the owner is killed again and again', async () => {
  const recoveriesMs: number[] = [];
  for (let round = 0; round < kills; round++) {
    const before = acks(peers);
    await until('ops under the present owner', () => acks(peers) > before + 40);
    const owner = await cluster.ownerOf(doc);
    const node = cluster.node(owner.nodeId);
    const killedMs = performance.now();
    node.kill('SIGKILL');
    const recovered = () => firstAckUnder(peers, owner.epoch + 1);
    await until('an ack under the next owner', () => recovered() !== null);
    recoveriesMs.push((recovered() as number) - killedMs);
    await node.ended;
    await cluster.startNode(owner.nodeId);
  }
  const log = await cluster.settle(doc);
  const p50 = Math.round(percentile(recoveriesMs, 0.5));
  const max = Math.round(Math.max(...recoveriesMs));
  console.log(`${kills} kills, ${log.length} ops; kill to next ack: p50 ${p50} ms, max ${max} ms`);
  judge(log, peers);
  expect(new Set(log.map(({ epoch }) => epoch)).size).toBeGreaterThan(kills);
}, 240_000);

function acks(all: readonly PeerLoad[]): number {
  return all.reduce((sum, { acked }) => sum + acked.length, 0);
}

/** When the first op under this or a later epoch was acknowledged to anybody. */
function firstAckUnder(all: readonly PeerLoad[], epoch: number): number | null {
  const times = all.flatMap(({ acked }) => {
    const first = acked.find((ack) => ack.epoch >= epoch);
    return first ? [first.atMs] : [];
  });
  return times.length > 0 ? Math.min(...times) : null;
}
