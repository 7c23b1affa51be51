import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type CommandLine, commandLine } from '../support/command-line.ts';
import { type NodeCluster, startNodeCluster } from '../support/node-cluster.ts';
import { serveNode } from '../support/serve-node.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let cluster: NodeCluster;
let cli: CommandLine;

beforeAll(async () => {
  cluster = await startNodeCluster('node-a', 'node-b');
  cli = commandLine({ BACKPLANE_URL: cluster.url });
});

afterAll(async () => {
  await cli?.stop();
  await cluster?.stop();
});

const errorOf = (stderr: string) => JSON.parse(stderr).error;

describe('inspect nodes --expect', () => {
  test('exits 0 when all are there, by number and by name', async () => {
    expect((await cli.run('inspect', 'nodes', '--expect', '2')).code).toBe(0);
    expect((await cli.run('inspect', 'nodes', '--expect', 'node-b,node-a')).code).toBe(0);
  });

  test('exits 11 and names who is missing, dead or never seen', async () => {
    const lost = await cluster.node('node-lost');
    const session = lost.session() ?? '';
    await lost.stop('crash');
    const { sessions } = cluster.engine;
    await sessions.fence(session, (await sessions.read(session))?.beat ?? 0, 'fenced');
    const counted = await cli.run('inspect', 'nodes', '--expect', '4', '-o', 'json');
    expect(counted.code).toBe(11);
    expect(counted.json().nodes).toHaveLength(3);
    expect(errorOf(counted.stderr)).toMatchObject({
      code: 'BP-PARTIAL',
      facts: { expected: 4, present: ['node-a', 'node-b'], missing: ['node-lost'] },
    });
    const named = await cli.run('inspect', 'nodes', '--expect', 'node-a,node-z');
    expect(named.code).toBe(11);
    expect(named.stderr).toContain('1 of 2 nodes; missing: node-z (never seen)');
  });
});

describe('inspect reachability', () => {
  test('shows how fast each node answers, and exits 0 when all do', async () => {
    const { code, json } = await cli.run('inspect', 'reachability', '-o', 'json');
    expect(code).toBe(0);
    expect(json()).toMatchObject({
      nodes: [
        { nodeId: 'node-a', reach: 'answered', latencyMs: expect.any(Number) },
        { nodeId: 'node-b', reach: 'answered' },
      ],
      ...{ silent: [], undead: [], twice: [] },
    });
  });

  test('names who stands still, though its heartbeat is fresh', async () => {
    const frozen = await serveNode({
      args: ['--url', cluster.url, '--node-id', 'node-frozen', '--port', '0'],
    });
    try {
      frozen.kill('SIGSTOP');
      const { code, stderr, json } = await cli.run(
        ...['inspect', 'reachability', '--timeout', '500ms', '-o', 'json'],
      );
      expect(code).toBe(11);
      expect(json().silent).toEqual(['node-frozen']);
      expect(errorOf(stderr).message).toContain('no answer from node-frozen');
    } finally {
      await frozen.stop();
    }
  });

  test('names who answers though given up for dead', async () => {
    const undead = await serveNode({
      args: ['--url', cluster.url, '--node-id', 'node-undead', '--port', '0'],
    });
    try {
      const { sessions } = cluster.engine;
      // It learns of it at its next heartbeat, seconds later.
      await sessions.fence(
        undead.session,
        (await sessions.read(undead.session))?.beat ?? 0,
        'fenced',
      );
      const { code, json } = await cli.run('inspect', 'reachability', '-o', 'json');
      expect(code).toBe(11);
      expect(json()).toMatchObject({ undead: ['node-undead'] });
    } finally {
      await undead.stop();
    }
  });

  test('names who answers twice: two processes with one id', async () => {
    const twin = await cluster.node('node-a');
    try {
      const { code, json } = await cli.run('inspect', 'reachability', '-o', 'json');
      expect(code).toBe(11);
      expect(json()).toMatchObject({ twice: ['node-a'] });
    } finally {
      await twin.stop();
    }
  });
});
