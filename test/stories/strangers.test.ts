import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { startRedisServer } from '../support/redis-server.ts';
import { until } from '../verification/judge.ts';
import { type StoryMachine, storyOn } from './support/story-machine.ts';

const doc = 'doc-123';

/** What `serve` says when it refuses. */
async function refusal(machine: StoryMachine, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await machine.run('serve', ...args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain('[BP-CLUSTER-MISMATCH]');
  return stderr;
}

describe('two nodes with one id', () => {
  storyOn('redis-server', 'both work, and the second says so', async (machine) => {
    const first = await machine.serve('--node-id', 'web');
    expect(await machine.op(doc, { n: 1 })).toMatchObject({ seq: 1 });
    const second = await machine.serve('--node-id', 'web');
    const warning = () => second.lines.find(({ name }) => name === 'node.namesake');
    await until('the warning', () => warning() !== undefined);
    expect(warning()).toMatchObject({ level: 'warn', facts: { nodeId: 'web', pid: first.pid } });
    expect(first.lines.some(({ name }) => name === 'node.namesake')).toBe(false);

    const live = await machine.liveNodes();
    expect(live.map(({ pid }) => pid).sort()).toEqual([first.pid, second.pid].sort());
    expect(await machine.op(doc, { n: 2 })).toMatchObject({ seq: 2, epoch: 1 });
    second.kill('SIGTERM');
    expect(await second.ended).toBe(0);
    expect(await machine.op(doc, { n: 3 })).toMatchObject({ seq: 3, epoch: 1 });
    expect((await machine.liveNodes()).map(({ session }) => session)).toEqual([first.session]);
  });

  storyOn('redis-server', 'are not seen where one was killed and came back', async (machine) => {
    const first = await machine.serve('--node-id', 'web');
    first.kill('SIGKILL');
    await first.ended;
    const second = await machine.serve('--node-id', 'web');
    expect(await machine.op(doc, { n: 1 })).toMatchObject({ seq: 1 });
    expect(second.lines.some(({ name }) => name === 'node.namesake')).toBe(false);
  });
});

describe('a node that is set up differently', () => {
  storyOn('redis-server', 'does not join, and says what to change', async (machine) => {
    const node = await machine.serve();
    const elsewhere = `sqlite:${join(machine.home, 'elsewhere.sqlite')}`;
    expect(await refusal(machine, '--store', elsewhere)).toContain('--store');
    expect(await refusal(machine, '--store', 'memory:')).toContain('another store');
    expect(await refusal(machine, '--engine', 'log')).toContain('--engine json');
    // Apart from the others it may be what it likes.
    const apart = await machine.serve('--store', elsewhere, '--prefix', 'apart:');
    expect((await machine.liveNodes()).map(({ pid }) => pid)).toEqual([node.pid]);
    expect(await machine.op(doc, { n: 1 })).toMatchObject({ seq: 1, nodeId: node.nodeId });
    const alone = await machine.ask('op', doc, '{"n":1}', '--prefix', 'apart:');
    expect(alone).toMatchObject({ seq: 1, nodeId: apart.nodeId });
  });
});

describe('a node that keeps its documents in memory', () => {
  storyOn('redis-server', 'can be started again on the same Redis', async (machine) => {
    const redis = await startRedisServer();
    try {
      const args = ['--url', redis.url, '--store', 'memory:'];
      const first = await machine.serve(...args);
      expect(first.lines[0]?.notices).toEqual([expect.stringContaining('in memory')]);
      const before = await machine.ask('op', doc, '{"n":1}', '--url', redis.url);
      expect(before).toMatchObject({ seq: 1, epoch: 1 });
      expect(await refusal(machine, ...args)).toContain('another store');
      first.kill('SIGKILL');
      await first.ended;
      await machine.serve(...args);
      const after = await machine.ask('op', doc, '{"n":1}', '--url', redis.url);
      expect(after).toMatchObject({ seq: 1 });
    } finally {
      await redis.stop();
    }
  });
});
