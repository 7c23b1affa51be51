import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type CommandLine, commandLine } from '../support/command-line.ts';
import { type NodeCluster, startNodeCluster } from '../support/node-cluster.ts';

// Every step starts a process, on a machine that may be busy.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let cluster: NodeCluster;
let cli: CommandLine;

beforeAll(async () => {
  cluster = await startNodeCluster('node-a');
  cli = commandLine({ BACKPLANE_URL: cluster.url });
});

afterAll(async () => {
  await cli?.stop();
  await cluster?.stop();
});

describe('node drain', () => {
  test('waits until the node has handed over and left', async () => {
    const leaving = await cluster.node('leaving');
    for (const doc of ['d-1', 'd-2', 'd-3']) await leaving.acquire(doc);
    const { code, json } = await cli.run('node', 'drain', 'leaving', '-o', 'json');
    expect(code).toBe(0);
    expect(json()).toMatchObject({
      schemaVersion: 1,
      nodeId: 'leaving',
      documents: 3,
      cause: 'left',
      tookMs: expect.any(Number),
    });
    const left = await cli.run('inspect', 'leases', '--node', 'leaving', '-o', 'jsonl');
    expect(left.lines()).toEqual([]);
    const nodes = await cli.run('inspect', 'nodes', '-o', 'jsonl');
    expect(nodes.lines().map(({ nodeId }) => nodeId)).not.toContain('leaving');
  });

  test('exits 4 for an unknown node', async () => {
    expect((await cli.run('node', 'drain', 'node-z')).code).toBe(4);
  });

  test('exits 6 for a node that has left', async () => {
    const { code, stderr } = await cli.run('node', 'drain', 'leaving');
    expect(code).toBe(6);
    expect(stderr).toContain('[BP-NODE-DEAD]');
  });
});

let tries = 0;

describe('node evict', () => {
  test('refuses a node that is alive, and leaves it alone', async () => {
    const { code, stderr } = await cli.run('node', 'evict', 'node-a');
    expect(code).toBe(8);
    expect(stderr).toContain('[BP-NODE-ALIVE]');
    expect((await cli.run('rpc', 'node:node-a', 'ping')).code).toBe(0);
  });

  test('with --force ends a node that is alive, which comes back without its documents', async () => {
    // Another name in another try of this test: the last one's sessions are remembered.
    const name = `forced-${tries++}`;
    const node = await cluster.node(name);
    const before = node.session();
    for (const doc of ['f-1', 'f-2']) await node.acquire(doc);
    const { code, json } = await cli.run('node', 'evict', name, '--force', '-o', 'json');
    expect(code).toBe(0);
    expect(json()).toMatchObject({
      nodeId: name,
      // Living nodes may have cleared some of it first.
      sessions: [{ session: before, was: 'live', fenced: true }],
    });
    for (const doc of ['f-1', 'f-2']) {
      expect((await cluster.engine.leases.read(doc))?.session).not.toBe(before);
    }
    await expect.poll(() => node.session(), { timeout: 15_000 }).not.toBeOneOf([before, null]);
    expect(node.ownedEpoch('f-1')).toBeNull();
  });

  test('clears what a dead session left, named by its id', async () => {
    const node = await cluster.node('gone');
    const session = node.session() as string;
    await node.acquire('left-behind');
    await node.stop('crash');
    const record = await cluster.engine.sessions.read(session);
    await cluster.engine.sessions.fence(session, record?.beat ?? 0, 'fenced');
    const { json } = await cli.run('node', 'evict', session, '-o', 'json');
    expect(json()).toMatchObject({ sessions: [{ session, was: 'dead', fenced: false }] });
    expect(await cluster.engine.leases.read('left-behind')).toBeNull();
  }, 20_000);

  test('exits 4 for an unknown node', async () => {
    expect((await cli.run('node', 'evict', 'node-z')).code).toBe(4);
  });
});
