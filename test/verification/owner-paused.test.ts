import { afterAll, beforeAll, expect, test } from 'vitest';
import { judge, until } from './judge.ts';
import type { PeerLoad } from './peer-load.ts';
import { ServedCluster } from './served-cluster.ts';

const doc = 'doc-paused';
/** Short, so that "longer than the lease" is soon. */
const dials = ['--lease-ttl', '4s', '--heartbeat', '500ms', '--node-timeout', '2s'];
let cluster: ServedCluster;
let peers: PeerLoad[];

beforeAll(async () => {
  cluster = await ServedCluster.start(3, [...dials, '--request-timeout', '3s']);
  peers = await cluster.join(doc, 4);
  for (const peer of peers) peer.start(5);
}, 60_000);

afterAll(() => cluster.stop());

test('an owner paused beyond its lease writes nothing when it wakes, and serves again', async () => {
  await until('some ops', () => peers.every(({ acked }) => acked.length > 20));
  const owner = await cluster.ownerOf(doc);
  const node = cluster.node(owner.nodeId);
  node.kill('SIGSTOP');
  await until('another owner', async () => {
    const now = await cluster.owner(doc);
    return now !== null && now.session !== owner.session;
  });
  // Beyond the lease, not only beyond the node timeout.
  const expired = async () => {
    const record = await (await cluster.engine()).sessions.read(owner.session);
    return record?.state !== 'live';
  };
  await until('the paused session to be dead', expired);
  const pausedAt = performance.now();
  await until('the lease to have passed twice', () => performance.now() - pausedAt > 8_000);
  const before = await cluster.log(doc);
  node.kill('SIGCONT');

  await until('the woken node to say that its session is lost', () =>
    node.lines.some(({ name }) => name === 'session.lost'),
  );
  await until('a new session of the woken node', () =>
    node.lines.some(
      ({ name, facts }) =>
        name === 'session.opened' && (facts as { session: string }).session !== owner.session,
    ),
  );
  const after = peers.map(({ acked }) => acked.length);
  await until('ops of every peer after it woke', () =>
    peers.every(({ acked }, index) => acked.length > (after[index] as number) + 10),
  );
  const log = await cluster.settle(doc);
  judge(log, peers);
  const late = log.slice(before.length).filter(({ epoch }) => epoch <= owner.epoch);
  expect(late, 'ops written under the old epoch after the node woke').toEqual([]);
  await servesAgain(owner.nodeId);
}, 120_000);

/** The woken node owns and orders a document of its own. */
async function servesAgain(nodeId: string): Promise<void> {
  const { address } = cluster.node(nodeId);
  const ready = async () => (await fetch(`${address}/health/ready`)).status === 200;
  await until('the woken node to be ready', ready);
  const { PeerLoad: Load } = await import('./peer-load.ts');
  const peer = await Load.join('after', [address], 'doc-after-the-pause');
  peer.start(5);
  await until('acks through the woken node', () => peer.acked.length > 5);
  await peer.finish();
  await peer.close();
  expect((await cluster.ownerOf('doc-after-the-pause')).nodeId).toBe(nodeId);
}
