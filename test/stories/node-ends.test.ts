import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { connect } from '../../src/client/index.ts';
import type { ServedNode } from '../support/serve-node.ts';
import { until } from '../verification/judge.ts';
import { installations, type StoryMachine, storyOn } from './support/story-machine.ts';
import { StoryPeers } from './support/story-peers.ts';

const doc = 'doc-123';

describe.each(installations)('with %s installed', (installed) => {
  storyOn(installed, 'a rolling restart of two nodes under load fails no op', async (machine) => {
    const places = ['one', 'two'].map((nodeId) => ['--node-id', nodeId]);
    const nodes = [];
    for (const place of places) nodes.push(await machine.serve(...place));
    const [one, two] = nodes as [ServedNode, ServedNode];
    const peers = await StoryPeers.join(doc, [one.address, two.address]);
    try {
      for (const node of nodes) {
        node.kill('SIGTERM');
        expect(await node.ended).toBe(0);
        expect(node.lines.map(({ type }) => type)).toEqual(
          expect.arrayContaining(['ready', 'draining', 'stopped']),
        );
        await peers.moreOps();
        await machine.serve('--node-id', node.nodeId, '--port', new URL(node.address).port);
        await peers.moreOps();
      }
      await peers.judge(machine);
    } finally {
      await peers.close();
    }
  });
});

describe('a node', () => {
  storyOn('redis-server', 'that gets SIGINT once hands over and exits 0', async (machine) => {
    const [one, two] = [await machine.serve(), await machine.serve()];
    const { nodeId } = await machine.op(doc, { n: 1 });
    const [owner, other] = nodeId === one.nodeId ? [one, two] : [two, one];
    owner.kill('SIGINT');
    expect(await owner.ended).toBe(0);
    const { leases } = await machine.ask('inspect', 'leases');
    expect(leases).toMatchObject([{ doc, nodeId: other.nodeId, state: 'handed' }]);
    const { nodes } = await machine.ask('inspect', 'nodes');
    expect(nodes).toMatchObject([{ nodeId: other.nodeId, state: 'live' }]);
  });

  storyOn('redis-server', 'that gets SIGINT twice ends at once, with 130', async (machine) => {
    const node = await machine.serve();
    await peersThatHoldUp(machine, node, async () => {
      node.kill('SIGINT');
      await until('it to drain', () => node.lines.some(({ type }) => type === 'draining'));
      // One keystroke may come twice, from the terminal and from npm; two come later.
      await wait(150);
      const startedMs = performance.now();
      node.kill('SIGINT');
      expect(await node.ended).toBe(130);
      // Sending the peers away would go on for seconds.
      expect(performance.now() - startedMs).toBeLessThan(2_000);
      expect(node.lines.map(({ type }) => type)).not.toContain('stopped');
    });
    // The next one takes over what this one could not hand over.
    await machine.serve();
    expect(await machine.op(doc, { n: 2 })).toMatchObject({ seq: 2 });
  });

  storyOn('redis-server', 'that cannot have its port says who has it, with 2', async (machine) => {
    const node = await machine.serve();
    const { port } = new URL(node.address);
    const { code, stdout, stderr } = await machine.run('serve', '--port', port);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(`127.0.0.1:${port}`);
    expect(stderr).toContain('BP-PORT-BUSY');
  });
});

/** So many peers that sending them away at a bounded rate takes seconds. */
async function peersThatHoldUp(
  machine: StoryMachine,
  { address }: ServedNode,
  during: () => Promise<void>,
): Promise<void> {
  await machine.op(doc, { n: 1 });
  const clients = Array.from({ length: 700 }, () => connect({ urls: address }));
  try {
    await Promise.all(clients.map((client) => client.connected()));
    await during();
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
}
