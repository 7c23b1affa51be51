import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { limits } from '../../src/foundation/limits.ts';
import { type CommandLine, commandLine } from '../support/command-line.ts';
import { type NodeCluster, startNodeCluster } from '../support/node-cluster.ts';

// Every step starts a process, on a machine that may be busy.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let cluster: NodeCluster;
let cli: CommandLine;
const nobody = commandLine({ BACKPLANE_URL: 'redis://127.0.0.1:1' });

beforeAll(async () => {
  cluster = await startNodeCluster('node-a');
  cli = commandLine({ BACKPLANE_URL: cluster.url });
});

afterAll(async () => {
  await cli?.stop();
  await cluster?.stop();
});

const seqsOf = async (doc: string) => (await cluster.engine.openStore().head(doc))?.seq ?? null;

describe('op', () => {
  test('answers where the op is and who stored it', async () => {
    const { code, json } = await cli.run('op', 'one', '{"title":"hello"}', '-o', 'json');
    expect(code).toBe(0);
    expect(json()).toEqual({
      schemaVersion: 1,
      doc: 'one',
      opId: expect.stringMatching(/^\w+:1$/),
      seq: 1,
      epoch: 1,
      nodeId: 'node-a',
      latencyMs: expect.any(Number),
      hops: 0,
      duplicate: false,
    });
  });

  test('applies an op sent twice with one id only once', async () => {
    const send = () => cli.run('op', 'twice', '{"n":1}', '--op-id', 'import-7:1', '-o', 'json');
    const first = (await send()).json();
    const second = (await send()).json();
    expect(second).toMatchObject({ seq: first.seq, opId: 'import-7:1', duplicate: true });
    expect(await seqsOf('twice')).toBe(1);
  });

  test('is acknowledged by another node when the owner has crashed, under a greater epoch', async () => {
    const doomed = await cluster.node('node-doomed');
    await doomed.acquire('survivor');
    const before = (await cli.run('op', 'survivor', '{"n":1}', '-o', 'json')).json();
    expect(before).toMatchObject({ nodeId: 'node-doomed', seq: 1 });
    await doomed.stop('crash');
    const after = (await cli.run('op', 'survivor', '{"n":2}', '-o', 'json')).json();
    expect(after).toMatchObject({ nodeId: 'node-a', seq: 2 });
    expect(after.epoch).toBeGreaterThan(before.epoch as number);
  });

  test('refuses what is no JSON, as the json engine wants it', async () => {
    const { code, stdout, stderr } = await cli.run('op', 'no-json', 'not json');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('[BP-PAYLOAD-INVALID]');
    expect(await seqsOf('no-json')).not.toBe(1);
  });

  test.each([
    ['an empty name', '', 'BP-NAME-INVALID'],
    ['a name of 10 kB', 'x'.repeat(10_000), 'BP-NAME-INVALID'],
    ['a name with a line break', 'a\nb', 'BP-NAME-INVALID'],
  ])('refuses %s before it connects', async (_what, doc, code) => {
    const refused = await nobody.run('op', doc, '{}');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(`[${code}]`);
  });

  test('exits 6 where no node ever was', async () => {
    const empty = await startNodeCluster();
    const { code, stderr } = await commandLine({ BACKPLANE_URL: empty.url }).run('op', 'd', '{}');
    await empty.stop();
    expect(code).toBe(6);
    expect(stderr).toContain('[BP-NO-NODES]');
  });

  test('exits 3 when nobody listens at the URL, and says that nothing happened', async () => {
    const { code, stderr } = await nobody.run('op', 'd', '{}', '-o', 'json');
    expect(code).toBe(3);
    const { error } = JSON.parse(
      stderr.split('\n').find((line) => line.includes('schemaVersion')) ?? '',
    );
    expect(error).toMatchObject({ code: 'BP-BACKPLANE-UNREACHABLE', certainty: 'definite' });
  });
});

describe('op -', () => {
  test('submits each line as an op, in order', async () => {
    const input = Array.from({ length: 500 }, (_, n) => `{"n":${n}}\n`).join('');
    const { code, lines } = await cli.runWith(input, 'op', 'lines', '-', '-o', 'jsonl');
    expect(code).toBe(0);
    expect(lines().map(({ seq }) => seq)).toEqual(Array.from({ length: 500 }, (_, n) => n + 1));
    const ops = await cluster.engine.openStore().read('lines', 0, 500);
    expect(ops.map(({ payload }) => JSON.parse(Buffer.from(payload).toString()).n)).toEqual(
      Array.from({ length: 500 }, (_, n) => n),
    );
  });

  test('acknowledges a line before the next is there', async () => {
    const typing = cli.start('op', 'typed', '-');
    typing.type('{"n":1}\n');
    await typing.until((stdout) => stdout.includes('seq 1'));
    typing.type('{"n":2}\n');
    await typing.until((stdout) => stdout.includes('seq 2'));
    typing.endInput();
    expect(await typing.ended).toMatchObject({ code: 0 });
  });

  test('ends at the first line that is refused, and says how many were acknowledged', async () => {
    const input = '{"n":1}\n{"n":2}\nbroken\n{"n":4}\n';
    const { code, lines, stderr } = await cli.runWith(input, 'op', 'partly', '-', '-o', 'jsonl');
    expect(code).toBe(2);
    expect(lines().map(({ seq }) => seq)).toEqual([1, 2]);
    expect(JSON.parse(stderr).error).toMatchObject({
      code: 'BP-PAYLOAD-INVALID',
      certainty: 'definite',
      facts: { acknowledged: 2, acknowledgedAfter: 0 },
    });
    expect(await seqsOf('partly')).toBe(2);
  });

  test('refuses a line above the limit, after those before it', async () => {
    const input = `{"n":1}\n"${'x'.repeat(limits.payloadBytesMax)}"\n`;
    const { code, lines, stderr } = await cli.runWith(input, 'op', 'large', '-', '-o', 'jsonl');
    expect(code).toBe(2);
    expect(lines().map(({ seq }) => seq)).toEqual([1]);
    expect(stderr).toContain('BP-PAYLOAD-TOO-LARGE');
  });

  test('prints one document with -o json, and refuses yaml', async () => {
    const { json } = await cli.runWith('{"n":1}\n{"n":2}\n', 'op', 'asjson', '-', '-o', 'json');
    expect(json()).toMatchObject({ schemaVersion: 1, ops: [{ seq: 1 }, { seq: 2 }] });
    expect((await cli.run('op', 'asjson', '-', '-o', 'yaml')).code).toBe(2);
  });
});
