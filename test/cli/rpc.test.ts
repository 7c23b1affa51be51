import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type CommandLine, commandLine } from '../support/command-line.ts';
import { type NodeCluster, startNodeCluster } from '../support/node-cluster.ts';

// Every step starts a process, on a machine that may be busy.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let cluster: NodeCluster;
let cli: CommandLine;

beforeAll(async () => {
  cluster = await startNodeCluster();
  cli = commandLine({ BACKPLANE_URL: cluster.url });
  const a = await cluster.node('node-a');
  const b = await cluster.node('node-b');
  for (const node of [a, b]) {
    node.handle('text', () => Buffer.from('plain \u001b[31mtext'));
    node.handle('bytes', () => Uint8Array.of(0xff, 0x00));
    node.handle('echo', ({ payload }) => payload);
    node.handle('fail', () => {
      throw new Error('out of paper');
    });
  }
  a.handle('slow', () => Buffer.from('"done"'));
  b.handle('slow', () => new Promise<Uint8Array>(() => {}));
  const dead = await cluster.node('node-dead');
  const session = dead.session() as string;
  await dead.stop('crash');
  const record = await cluster.engine.sessions.read(session);
  await cluster.engine.sessions.fence(session, record?.beat ?? 0, 'fenced');
  await b.acquire('doc-b');
});

afterAll(async () => {
  await cli?.stop();
  await cluster?.stop();
});

describe('rpc', () => {
  test('says which node answered, through how many, in what time', async () => {
    const { code, json } = await cli.run('rpc', 'doc:doc-b', 'ping', '-o', 'json');
    expect(code).toBe(0);
    expect(json()).toMatchObject({
      schemaVersion: 1,
      target: 'doc:doc-b',
      method: 'ping',
      replies: [
        {
          nodeId: 'node-b',
          ok: true,
          payload: { pong: true, doc: 'doc-b' },
          error: null,
          latencyMs: expect.any(Number),
        },
      ],
      silent: [],
    });
    const people = await cli.run('rpc', 'doc:doc-b', 'ping');
    expect(people.stdout).toMatch(/^node-b {2}[\d.]+ms {2}direct {2}\{"pong":true/);
  });

  test('asks all nodes, and shows each reply', async () => {
    const { json } = await cli.run('rpc', 'all', 'echo', '{"n":1}', '-o', 'json');
    expect(json().replies).toMatchObject([
      { nodeId: 'node-a', payload: { n: 1 } },
      { nodeId: 'node-b', payload: { n: 1 } },
    ]);
  });

  test('shows text as text and bytes as base64, and keeps escapes from the terminal', async () => {
    const text = await cli.run('rpc', 'node:node-a', 'text');
    expect(text.stdout).toContain('plain \\e[31mtext');
    const { json } = await cli.run('rpc', 'node:node-a', 'bytes', '-o', 'json');
    expect(json().replies).toMatchObject([{ payload: '/wA=', encoding: 'base64' }]);
  });

  test('exits 11 and names who did not answer, after showing who did', async () => {
    const { code, json, stderr } = await cli.run(
      ...['rpc', 'all', 'slow', '--timeout', '500ms', '-o', 'json'],
    );
    expect(code).toBe(11);
    expect(json()).toMatchObject({
      replies: [{ nodeId: 'node-a', payload: 'done' }],
      silent: ['node-b'],
    });
    expect(JSON.parse(stderr).error).toMatchObject({ code: 'BP-PARTIAL' });
  });

  test('exits 5 when the one asked does not answer in time', async () => {
    const { code, stderr } = await cli.run('rpc', 'node:node-b', 'slow', '--timeout', '300ms');
    expect(code).toBe(5);
    expect(stderr).toContain('[BP-DEADLINE-EXCEEDED]');
    expect(stderr).toContain('it may have happened');
  });

  test('exits 7 when the method fails, and when nobody has it', async () => {
    const failed = await cli.run('rpc', 'node:node-a', 'fail');
    expect(failed.code).toBe(7);
    expect(failed.stdout).toContain('out of paper');
    const unknown = await cli.run('rpc', 'doc:doc-b', 'nosuch', '-o', 'json');
    expect(unknown.code).toBe(7);
    expect(unknown.json().replies).toMatchObject([
      { nodeId: 'node-b', ok: false, error: { code: 'BP-METHOD-UNKNOWN' } },
    ]);
  });

  test('tells an unknown node (4) from a dead one (6)', async () => {
    const unknown = await cli.run('rpc', 'node:node-z', 'ping');
    expect(unknown.code).toBe(4);
    expect(unknown.stderr).toContain('[BP-NODE-UNKNOWN]');
    const dead = await cli.run('rpc', 'node:node-dead', 'ping');
    expect(dead.code).toBe(6);
    expect(dead.stderr).toContain('[BP-NODE-DEAD]');
  });

  test.each([
    ['a target without a kind', ['doc-b', 'ping']],
    ['a method that nobody can register', ['all', '__proto__']],
    ['a method of the control plane', ['all', 'lease:move']],
  ])('refuses %s with exit code 2', async (_what, args) => {
    expect((await cli.run('rpc', ...args)).code).toBe(2);
  });

  test('cannot reach a control by its name', async () => {
    const { code, stdout } = await cli.run('rpc', 'node:node-a', 'node.drain');
    expect(code).toBe(7);
    expect(stdout).toContain('[BP-METHOD-UNKNOWN]');
  });
});
