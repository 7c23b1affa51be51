import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { BackplaneNode } from '../../src/runtime/node.ts';
import { type CommandLine, commandLine, type Started } from '../support/command-line.ts';
import { type NodeCluster, startNodeCluster } from '../support/node-cluster.ts';

// Every step starts a process, on a machine that may be busy.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let cluster: NodeCluster;
let node: BackplaneNode;
let cli: CommandLine;

beforeAll(async () => {
  cluster = await startNodeCluster();
  node = await cluster.node('node-a');
  cli = commandLine({ BACKPLANE_URL: cluster.url });
});

afterAll(async () => {
  await cli?.stop();
  await cluster?.stop();
});

/** Writes until the tail hears it live: what came before it had subscribed, it reads from the log. */
async function becomeLive(tail: Started, doc: string): Promise<void> {
  while (!/"hop":"live"|live from/.test(tail.stdout())) await cluster.write(doc, '{"warm":true}');
}

describe('tail', () => {
  test('gives each line the keys scripts rely on', async () => {
    const tail = cli.start('tail', 'keys', '-o', 'jsonl', '--until', 'type=awareness');
    await becomeLive(tail, 'keys');
    await cluster.write('keys', '{"x":1}');
    await tail.until((stdout) => stdout.includes('"x":1'));
    node.setAwareness('keys', 'peer-1', Buffer.from('"typing"'));
    const { code, lines } = await tail.ended;
    expect(code).toBe(0);
    const [op, awareness] = lines().slice(-2);
    expect(op).toEqual({
      type: 'op',
      doc: 'keys',
      seq: expect.any(Number),
      epoch: 1,
      nodeId: 'node-a',
      peer: expect.any(String),
      opId: expect.stringMatching(/:1$/),
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      payload: { x: 1 },
      encoding: 'json',
      hop: 'live',
    });
    expect(awareness).toMatchObject({ peer: 'peer-1', payload: 'typing', seq: null, opId: null });
    expect(Object.keys(awareness ?? {}).sort()).toEqual(Object.keys(op ?? {}).sort());
  });

  test('replays from the log before it follows, without a gap', async () => {
    for (const n of [1, 2, 3]) await cluster.write('replayed', `{"n":${n}}`);
    const tail = cli.start(
      'tail',
      'replayed',
      '--since',
      '1',
      '-o',
      'jsonl',
      '--until',
      'hop=live',
    );
    await tail.until((stdout) => stdout.includes('"seq":3'));
    await becomeLive(tail, 'replayed');
    const ops = (await tail.ended).lines().filter(({ type }) => type === 'op');
    expect(ops.map(({ seq }) => seq)).toEqual(ops.map((_, index) => index + 2));
    expect(ops.slice(0, 2)).toMatchObject([
      { hop: 'log', nodeId: null },
      { hop: 'log', nodeId: null },
    ]);
    expect(ops.at(-1)).toMatchObject({ hop: 'live', nodeId: 'node-a' });
  });

  test('waits for a document that does not exist, and says so', async () => {
    const tail = cli.start('tail', 'later', '--count', '1', '--type', 'op');
    await tail.until((_stdout, stderr) => stderr.includes('no document "later" yet'));
    await cluster.write('later', '{"first":true}');
    const { code, stdout } = await tail.ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /later {2}seq 1 {2}epoch 1 {2}(live from node-a|from the log) .*true\}\n$/,
    );
  });

  test('lets no escape sequence of a payload reach the terminal', async () => {
    await cluster.write('evil', JSON.stringify({ text: '\u001b]0;owned\u0007\u009b31m\u202e' }));
    const people = await cli.run(
      'tail',
      'evil',
      '--since',
      '0',
      '--count',
      '1',
      '--color',
      'always',
    );
    const programs = await cli.run('tail', 'evil', '--since', '0', '-n', '1', '-o', 'jsonl');
    for (const { stdout } of [people, programs]) {
      expect(stdout.replaceAll(/\u001b\[\d+m/g, '')).not.toMatch(
        /[\u0000-\u0009\u001b\u007f-\u009f\u202e]/,
      );
    }
    expect(programs.lines()[0]?.payload).toEqual({ text: '\u001b]0;owned\u0007\u009b31m\u202e' });
  });

  test('ends after --wait, and exits 5 only when more was asked for', async () => {
    await cluster.write('quiet', '{}');
    expect(await cli.run('tail', 'quiet', '--wait', '200ms')).toMatchObject({
      code: 0,
      stdout: '',
    });
    const unmet = await cli.run('tail', 'quiet', '--count', '1', '--wait', '200ms');
    expect(unmet.code).toBe(5);
    expect(unmet.stderr).toContain('[BP-DEADLINE-EXCEEDED]');
  });

  test('ends with the line of --until', async () => {
    for (const n of [1, 2, 3]) await cluster.write('until', `{"n":${n}}`);
    const tail = await cli.run(
      'tail',
      'until',
      '--since',
      '0',
      '--until',
      'payload.n=2',
      '-o',
      'jsonl',
    );
    expect(tail.lines().map(({ seq }) => seq)).toEqual([1, 2]);
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('ends well by %s', async (signal) => {
    const tail = cli.start('tail', `signal-${signal}`, '-o', 'json');
    await becomeLive(tail, `signal-${signal}`);
    tail.kill(signal);
    const { code, json } = await tail.ended;
    expect(code).toBe(0);
    expect(json()).toMatchObject({ schemaVersion: 1, lines: expect.any(Array) });
  });

  test('ends without an error when its reader goes away', async () => {
    const tail = cli.start('tail', 'piped', '-o', 'jsonl');
    await becomeLive(tail, 'piped');
    tail.stopReading();
    await cluster.write('piped', '{"n":1}');
    await cluster.write('piped', '{"n":2}');
    const { code, stderr } = await tail.ended;
    expect(code).toBe(0);
    expect(stderr).not.toContain('error');
  });

  test('tells who took a document over, and goes on in order', async () => {
    const owner = await cluster.node('node-b');
    await owner.acquire('moved');
    await cluster.write('moved', '{"n":1}');
    const tail = cli.start(
      'tail',
      'moved',
      '--since',
      '0',
      '--until',
      'type=lease && epoch=2',
      '-o',
      'jsonl',
    );
    await becomeLive(tail, 'moved');
    await owner.stop('crash');
    await cluster.write('moved', '{"n":2}');
    const lines = (await tail.ended).lines();
    expect(lines.at(-1)).toMatchObject({ nodeId: 'node-a', payload: { change: 'owned' } });
    const seqs = lines.filter(({ type }) => type === 'op').map(({ seq }) => seq);
    expect(seqs).toEqual(seqs.map((_, index) => index + 1));
  });

  test('refuses to start behind the end of the log', async () => {
    const { code, stderr } = await cli.run('tail', 'quiet', '--since', '100');
    expect(code).toBe(2);
    expect(stderr).toContain('ends at 1');
  });
});
