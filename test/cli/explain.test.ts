import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { ConnectionDoor } from '../../src/runtime/presence/presence-door.ts';
import { type CommandLine, commandLine } from '../support/command-line.ts';
import { type NodeCluster, startNodeCluster } from '../support/node-cluster.ts';
import { serveNode } from '../support/serve-node.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const silentDoor: ConnectionDoor = {
  message: () => {},
  invoke: async ({ payload }) => payload,
  kicked: () => {},
};

let cluster: NodeCluster;
let cli: CommandLine;

beforeAll(async () => {
  cluster = await startNodeCluster('node-a', 'node-b');
  cli = commandLine({ BACKPLANE_URL: cluster.url });
  for (const doc of ['owned', 'followed']) await cluster.write(doc, '{"title":"hello"}');
});

afterAll(async () => {
  await cli?.stop();
  await cluster?.stop();
});

interface Told {
  id: string;
  tone: string;
  text: string;
  evidence: { source: string; fact: string }[];
  because: string[];
}

async function explain(subject: string): Promise<{ told: Map<string, Told>; next: string }> {
  const { code, stderr, json } = await cli.run('explain', subject, '-o', 'json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const { statements, next } = json() as unknown as { statements: Told[]; next: string };
  const told = new Map(statements.map((each) => [each.id, each]));
  for (const { evidence, because } of statements) {
    expect(evidence.length).toBeGreaterThan(0);
    for (const id of because) expect([...told.keys()]).toContain(id);
  }
  return { told, next };
}

describe('explain', () => {
  test('says of a document that is served who serves it, and why that is certain', async () => {
    const { told, next } = await explain('owned');
    expect(told.get('serving')).toMatchObject({ tone: 'good', because: ['lease', 'owner', 'log'] });
    expect(told.get('last-op')?.text).toContain('It was written last');
    expect(next).toBe('backplane trace owned');
    const people = await cli.run('explain', 'owned');
    expect(people.stdout).toMatch(/^document owned\nnode-a owns it, epoch 1\.\n {4}directory: /);
    expect(people.stdout).toMatch(/\nnext {2}backplane trace owned\n$/);
  });

  test('says of a document whose owner nobody remembers what to type, and that mends it', async () => {
    await cluster.engine.leases.claim('stuck', null, 'ghost');
    const { told, next } = await explain('stuck');
    expect(told.get('owner')).toMatchObject({ tone: 'bad', because: ['lease'] });
    expect(next).toBe('backplane fsck --fix');
    await cluster.engine.leases.release('stuck', 'ghost', 0, null);
  });

  test('says of a node that stands still that it is silent or does not answer', async () => {
    const frozen = await serveNode({
      args: ['--url', cluster.url, '--node-id', 'node-frozen', '--port', '0'],
    });
    try {
      const well = await explain('node:node-frozen');
      expect(well.told.get('answer')?.tone).toBe('good');
      frozen.kill('SIGSTOP');
      const { told, next } = await explain('node:node-frozen');
      expect(told.get('answer')).toMatchObject({
        tone: 'bad',
        text: 'It did not answer: its process listens, and does not answer.',
      });
      expect(next).toContain(`backplane node evict ${frozen.session}`);
    } finally {
      // In order, so that it leaves nothing for the next test to find.
      for (const signal of ['SIGCONT', 'SIGTERM'] as const) frozen.kill(signal);
      await frozen.ended;
    }
  });

  test('says of a user where they are, and that every node sees them', async () => {
    const holder = await cluster.node('node-users');
    const seer = await cluster.node('node-seer');
    holder.presence.register({ user: 'ann', groups: ['red'] }, silentDoor);
    await vi.waitFor(async () => expect(await seer.presence.isOnline('ann')).toBe(true));
    const { told, next } = await explain('user:ann');
    expect(told.get('online')?.text).toMatch(/^ann is online: 1 connection on node-users, in the/);
    expect(told.get('connection-1')?.text).toMatch(/^c-\S+ has been connected to .*, in red\.$/);
    expect(told.get('seen')?.tone).toBe('good');
    expect(next).toBe('backplane inspect connections --user ann --watch');
  });

  test('exits 4 for what is not there', async () => {
    expect((await cli.run('explain', 'never')).code).toBe(4);
    expect((await cli.run('explain', 'node:never')).code).toBe(4);
    expect((await cli.run('explain', 'user:bob')).code).toBe(4);
  });
});

describe('trace', () => {
  test('shows the life of an op, who delivered it, and who need not', async () => {
    const follower = await cluster.node('node-c');
    const heard: number[] = [];
    const following = await follower.follow('followed', 'now', {
      ops: (ops) => heard.push(...ops.map(({ seq }) => seq)),
      failed: () => {},
    });
    try {
      const { code, json } = await cli.run('trace', 'followed', '-o', 'json');
      expect(code).toBe(0);
      const report = json() as unknown as {
        seq: number;
        steps: { name: string; atMs: number }[];
        delivered: { nodeId: string }[];
      };
      expect(report).toMatchObject({
        nodeId: 'node-a',
        missing: [],
        delivered: [{ nodeId: 'node-c' }],
      });
      expect(json().uninterested).toEqual(expect.arrayContaining(['node-b']));
      expect(report.steps.map(({ name }) => name)).toEqual(
        expect.arrayContaining(['looked up', 'acknowledged']),
      );
      expect(heard).toContain(report.seq);
      const people = await cli.run('trace', 'followed');
      expect(people.stdout).toMatch(/delivered +\S+ \|-*\* *\| {2}node-c, to 1 follower/);
    } finally {
      await following.close();
      await follower.stop();
    }
  });
});

test('trace names a node that should have delivered the op and did not', async () => {
  const peer = await serveNode({
    args: ['--url', cluster.url, '--node-id', 'node-late', '--port', '0'],
  });
  try {
    peer.kill('SIGSTOP');
    const { code, stderr, json } = await cli.run(
      ...['trace', 'followed', '--wait', '100ms', '-o', 'json'],
    );
    expect(code).toBe(11);
    expect(json().missing).toEqual(['node-late']);
    expect(JSON.parse(stderr).error.message).toContain('was not delivered on node-late');
  } finally {
    for (const signal of ['SIGCONT', 'SIGTERM'] as const) peer.kill(signal);
    await peer.ended;
  }
});

describe('plan failover', () => {
  test('reckons from the settings of the running cluster which of them costs how much', async () => {
    const { code, json } = await cli.run('plan', 'failover', '-o', 'json');
    expect(code).toBe(0);
    const plans = json().failures as { failure: string; typicalMs: number; worstMs: number }[];
    const of = (failure: string) => plans.find((plan) => plan.failure === failure);
    expect(of('owner killed')?.typicalMs).toBeGreaterThan(150);
    expect(of('owner killed')?.worstMs).toBeLessThan(1_500);
    // The nodes of this test beat every 500 ms, and are given up after 20 s.
    expect(of('owner stands still')).toMatchObject({ dominatedBy: '--node-timeout' });
    expect(of('owner stands still')?.worstMs).toBeGreaterThan(20_000);
    for (const { typicalMs, worstMs } of plans) expect(typicalMs).toBeLessThanOrEqual(worstMs);
  });

  test('follows the settings of another cluster', async () => {
    const args = ['--url', cluster.url, '--prefix', 'slow:', '--node-id', 'slow', '--port', '0'];
    const node = await serveNode({ args: [...args, '--wait-for-expiry', '--lease-ttl', '40s'] });
    try {
      const { json } = await cli.run('plan', 'failover', '--prefix', 'slow:', '-o', 'json');
      expect((json().failures as object[])[0]).toMatchObject({
        ...{ failure: 'owner killed', dominatedBy: '--lease-ttl', valueMs: 40_000 },
      });
    } finally {
      await node.stop();
    }
  });

  test('compares with a drill, and what it measured is not beyond the worst that was reckoned', async () => {
    const args = ['--url', cluster.url, '--prefix', 'brisk:', '--node-id', 'brisk', '--port', '0'];
    // As short as those of the drills themselves: a busy machine would lose sessions with less.
    const brisk = ['--heartbeat', '1s', '--node-timeout', '4s', '--lease-ttl', '6s'];
    const node = await serveNode({ args: [...args, ...brisk] });
    const home = mkdtempSync(join(tmpdir(), 'backplane-plan-'));
    const own = commandLine({ BACKPLANE_URL: cluster.url, BACKPLANE_DATA_DIR: home });
    try {
      const only = ['--measure', '--only', 'owner-killed'];
      const command = ['plan', 'failover', ...only, '--prefix', 'brisk:', '-o', 'json'];
      const { code, json, stderr } = await own.run(...command);
      expect(code, stderr).toBe(0);
      const plans = json().failures as { failure: string; measuredMs: number; worstMs: number }[];
      const measured = plans.filter(({ measuredMs }) => measuredMs !== null);
      expect(measured.map(({ failure }) => failure)).toEqual(['owner killed']);
      for (const each of measured) expect(each.measuredMs).toBeLessThan(each.worstMs + 5_000);
    } finally {
      await node.stop();
      await own.stop();
      rmSync(home, { recursive: true });
    }
  }, 180_000);
});
