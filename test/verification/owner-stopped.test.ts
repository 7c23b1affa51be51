import { afterAll, beforeAll, expect, test } from 'vitest';
import { judge, until } from './judge.ts';
import { PeerLoad } from './peer-load.ts';
import { ServedCluster } from './served-cluster.ts';

const doc = 'doc-stopped';
let cluster: ServedCluster;
let peers: PeerLoad[];

beforeAll(async () => {
  cluster = await ServedCluster.start(3);
  peers = await cluster.join(doc, 4);
  for (const peer of peers) peer.start(4);
}, 60_000);

afterAll(() => cluster.stop());

test('SIGTERM to the owner under load fails no op, and no request', async () => {
  for (let round = 0; round < 3; round++) {
    const enough = peers.map(({ acked }) => acked.length + 20);
    await until('ops of every peer', () =>
      peers.every(({ acked }, index) => acked.length > (enough[index] as number)),
    );
    const owner = await cluster.ownerOf(doc);
    const node = cluster.node(owner.nodeId);
    const requests = await ask(owner.nodeId);
    node.kill('SIGTERM');
    expect(await node.ended).toBe(0);
    const { answered, failed } = await requests.end();
    expect(failed, 'requests that failed').toEqual([]);
    expect(answered).toBeGreaterThan(10);
    const next = await cluster.ownerOf(doc);
    expect(next.epoch).toBeGreaterThan(owner.epoch);
    await cluster.startNode(owner.nodeId);
  }
  const log = await cluster.settle(doc);
  judge(log, peers);
}, 120_000);

/** Requests to the document's owner through a node that is not stopping, until told to end. */
async function ask(stopping: string) {
  const through = ['node-1', 'node-2', 'node-3'].find((nodeId) => nodeId !== stopping) as string;
  const { handle, close } = await PeerLoad.asker(cluster.node(through).address, doc);
  const failed: unknown[] = [];
  let answered = 0;
  let running = true;
  const done = (async () => {
    while (running && failed.length === 0) {
      await handle.rpc('ping').then(
        () => {
          answered += 1;
        },
        (error) => failed.push(error),
      );
    }
  })();
  return {
    async end() {
      const enough = answered + 10;
      await until('some more answers', () => answered > enough || failed.length > 0);
      running = false;
      await done;
      await close();
      return { answered, failed };
    },
  };
}
