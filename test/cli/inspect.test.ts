import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type CommandLine, commandLine } from '../support/command-line.ts';
import { type NodeCluster, startNodeCluster } from '../support/node-cluster.ts';

// Every step starts a process, on a machine that may be busy.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let cluster: NodeCluster;
let cli: CommandLine;

beforeAll(async () => {
  cluster = await startNodeCluster('node-a', 'node-b');
  cli = commandLine({ BACKPLANE_URL: cluster.url });
  for (const doc of ['doc-1', 'doc-2', 'note']) await cluster.write(doc, '{"title":"hello"}');
  const documents = async () =>
    (await cluster.engine.sessions.list()).map(({ vitals }) => vitals.documents);
  await vi.waitFor(async () => expect(await documents()).toContain(3), 5_000);
});

afterAll(async () => {
  await cli?.stop();
  await cluster?.stop();
});

describe('inspect nodes', () => {
  test('lists every node with the keys scripts rely on', async () => {
    const { code, json } = await cli.run('inspect', 'nodes', '-o', 'json');
    expect(code).toBe(0);
    expect(json()).toMatchObject({
      schemaVersion: 1,
      nodes: [
        { nodeId: 'node-a', state: 'live', address: null, pid: process.pid, documents: 3 },
        { nodeId: 'node-b', state: 'live', connections: 0, version: '0.0.0-test' },
      ],
    });
    const [node] = json().nodes as object[];
    expect(Object.keys(node ?? {})).toEqual(
      expect.arrayContaining(['session', 'startedAt', 'lastBeatAgoMs', 'cause', 'configHash']),
    );
  });

  test('shows people a table, and colours only for a terminal or when told to', async () => {
    const plain = await cli.run('inspect', 'nodes');
    expect(plain.stdout.split('\n')[0]).toMatch(/^NODE +STATE +ADDRESS +PID +DOCUMENTS/);
    expect(plain.stdout).toMatch(/^node-a +live /m);
    expect(plain.stdout).not.toContain('\u001b');
    const painted = await cli.run('inspect', 'nodes', '--color', 'always');
    expect(painted.stdout).toContain('\u001b[32mlive');
  });

  test('chooses by filter and state, and sorts by any column', async () => {
    const names = async (...args: string[]) =>
      (await cli.run('inspect', 'nodes', '-o', 'jsonl', ...args))
        .lines()
        .map((node) => node.nodeId);
    expect(await names('--filter', 'nodeId~*-b')).toEqual(['node-b']);
    expect(await names('--filter', 'documents>=1 && state=live')).toEqual(['node-a']);
    expect(await names('--state', 'dead')).toEqual([]);
    expect(await names('--sort', '-nodeId')).toEqual(['node-b', 'node-a']);
  });

  test('names the columns there are when asked for another, before it connects', async () => {
    const nobody = commandLine({ BACKPLANE_URL: 'redis://127.0.0.1:1' });
    const { code, stderr } = await nobody.run('inspect', 'nodes', '--sort', 'size');
    expect(code).toBe(2);
    expect(stderr).toContain('there is no column "size" [BP-USAGE]');
    expect(stderr).toContain('lastBeatAgoMs');
  });

  test('shows it again and again with --watch, until interrupted', async () => {
    const watching = cli.start('inspect', 'nodes', '--watch', '100ms', '-o', 'jsonl');
    await watching.until((stdout) => stdout.split('node-a').length > 3);
    watching.kill('SIGINT');
    expect((await watching.ended).code).toBe(130);
  });
});

describe('inspect node', () => {
  test('shows one by name, and exits 4 for a name nobody has', async () => {
    const { json } = await cli.run('inspect', 'node', 'node-b', '-o', 'json');
    expect(json()).toMatchObject({ schemaVersion: 1, nodeId: 'node-b', others: [] });
    const unknown = await cli.run('inspect', 'node', 'node-z');
    expect(unknown).toMatchObject({ code: 4, stdout: '' });
    expect(unknown.stderr).toContain('[BP-NODE-UNKNOWN]');
  });

  test('tells programs of an error as JSON on standard error', async () => {
    const { code, stdout, stderr } = await cli.run('inspect', 'node', 'node-z', '-o', 'json');
    expect(code).toBe(4);
    expect(stdout).toBe('');
    expect(JSON.parse(stderr)).toMatchObject({
      schemaVersion: 1,
      error: { code: 'BP-NODE-UNKNOWN', certainty: 'definite', exitCode: 4 },
    });
  });
});

describe('inspect leases', () => {
  test('lists who owns what', async () => {
    const { json } = await cli.run('inspect', 'leases', '-o', 'json', '--sort', 'doc');
    const leases = json().leases as Record<string, unknown>[];
    expect(leases.map(({ doc }) => doc)).toEqual(['doc-1', 'doc-2', 'note']);
    expect(leases[0]).toEqual({
      doc: 'doc-1',
      nodeId: 'node-a',
      session: expect.any(String),
      epoch: 1,
      state: 'held',
      expiresInMs: expect.any(Number),
    });
  });

  test('chooses by document, node and state', async () => {
    const docs = async (...args: string[]) =>
      (await cli.run('inspect', 'leases', '-o', 'jsonl', '--sort', 'doc', ...args))
        .lines()
        .map(({ doc }) => doc);
    expect(await docs('--doc', 'doc-*')).toEqual(['doc-1', 'doc-2']);
    expect(await docs('--node', 'node-b')).toEqual([]);
    expect(await docs('--state', 'orphaned')).toEqual([]);
  });

  test('writes csv with a header, and yaml with the version', async () => {
    const csv = await cli.run('inspect', 'leases', '-o', 'csv', '--sort', 'doc');
    expect(csv.stdout.split('\r\n').slice(0, 2)).toEqual([
      'doc,nodeId,epoch,state,expiresInMs,session',
      expect.stringMatching(/^doc-1,node-a,1,held,\d+,\w+$/),
    ]);
    const yaml = await cli.run('inspect', 'leases', '-o', 'yaml');
    expect(yaml.stdout).toMatch(/^schemaVersion: 1\nleases:\n/);
  });

  test('says on standard error that there are none', async () => {
    const { code, stdout, stderr } = await cli.run('inspect', 'leases', '--doc', 'nothing');
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toContain('no leases');
  });
});

describe('inspect lease', () => {
  test('shows the owner, and exits 4 when nobody owns it', async () => {
    const { json } = await cli.run('inspect', 'lease', 'doc-1', '-o', 'json');
    expect(json()).toMatchObject({ doc: 'doc-1', nodeId: 'node-a', epoch: 1, ownerState: 'live' });
    const free = await cli.run('inspect', 'lease', 'free');
    expect(free.code).toBe(4);
    expect(free.stderr).toContain('[BP-LEASE-UNKNOWN]');
  });

  test.each([
    ['an empty name', ''],
    ['a name of 10 kB', 'x'.repeat(10_000)],
    ['a name with control characters', 'a\u001bb'],
  ])('refuses %s with exit code 2', async (_what, name) => {
    const { code, stderr } = await cli.run('inspect', 'lease', name);
    expect(code).toBe(2);
    expect(stderr).toContain('[BP-NAME-INVALID]');
  });
});

describe('inspect docs and doc', () => {
  test('lists the documents of the store, owned or not', async () => {
    const { json } = await cli.run('inspect', 'docs', '--sort', 'doc', '-o', 'json');
    expect(json().docs).toMatchObject([
      { doc: 'doc-1', seq: 1, epoch: 1, nodeId: 'node-a', snapshotSeq: 0 },
      { doc: 'doc-2' },
      { doc: 'note' },
    ]);
  });

  test('shows one with its owner and its state', async () => {
    const { json } = await cli.run('inspect', 'doc', 'note', '-o', 'json');
    expect(json()).toMatchObject({
      doc: 'note',
      seq: 1,
      state: { title: 'hello' },
      lease: { nodeId: 'node-a', state: 'held' },
    });
  });

  test('exits 4 for a document nobody has written, and does not make it', async () => {
    const { code, stderr } = await cli.run('inspect', 'doc', 'never');
    expect(code).toBe(4);
    expect(stderr).toContain('[BP-DOCUMENT-UNKNOWN]');
    const { json } = await cli.run('inspect', 'docs', '--doc', 'never', '-o', 'json');
    expect(json().docs).toEqual([]);
  });
});

describe('inspect channels', () => {
  test('lists the inbox of each node once, and is not in the list itself', async () => {
    const { json } = await cli.run('inspect', 'channels', '-o', 'json', '--sort', 'nodeId');
    expect(json().channels).toMatchObject([
      { kind: 'inbox', nodeId: 'node-a', doc: null, receivers: 1 },
      { kind: 'inbox', nodeId: 'node-b', doc: null, receivers: 1 },
    ]);
  });
});

describe('looking', () => {
  test.each([
    ['inspect', 'nodes'],
    ['inspect', 'node', 'node-a'],
    ['inspect', 'leases'],
    ['inspect', 'lease', 'doc-1'],
    ['inspect', 'docs'],
    ['inspect', 'doc', 'doc-1'],
    ['inspect', 'channels'],
    ['tail', 'doc-1', '--since', '0', '--count', '1'],
  ])('works for a user who may not write: %s %s', async (...args) => {
    const rules = ['on', '>pass', '~*', '&*', '+@all', '-@write', '-@dangerous', '+info'];
    await cluster.redis.cli('ACL', 'SETUSER', 'looker', ...rules);
    const url = cluster.url.replace('redis://', 'redis://looker:pass@');
    const looker = commandLine({ BACKPLANE_URL: url });
    const { code, stderr } = await looker.run(...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  test('exits 3 within two seconds when nobody listens', async () => {
    const nobody = commandLine({ BACKPLANE_URL: 'redis://127.0.0.1:1' });
    const startedMs = performance.now();
    const { code, stderr } = await nobody.run('inspect', 'nodes');
    expect(code).toBe(3);
    expect(stderr).toContain('[BP-BACKPLANE-UNREACHABLE]');
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });
});
