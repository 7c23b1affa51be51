import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { outputFormats } from '../../../src/cli/global-options.ts';
import { formatsOfKind } from '../../../src/cli/output-kinds.ts';
import type { BackplaneNode } from '../../../src/runtime/node.ts';
import { type CommandLine, commandLine, type Ended } from '../../support/command-line.ts';
import { type NodeCluster, startNodeCluster } from '../../support/node-cluster.ts';

// Every step starts a process, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 30_000 });

/** Colours, a link, the clipboard, a cleared screen in C1, a reversed name, nothing, a new line. */
const nasty =
  'x\u001b[31mred\u001b]8;;http://evil\u0007\u001b]52;c;ZXZpbA==\u0007 \u009b2J\u202ecod\u2066\u200b\u007f\rfake: ok\n\u2028\ufeff';
/** What a terminal would act on, apart from the ends of our own lines. */
const acting =
  /[\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|\r(?!\n)/u;
/** A name may hold these: they are no control characters. */
const nastyName = 'doc\u202efdp\u200b\ufeff';

let cluster: NodeCluster;
let node: BackplaneNode;
let cli: CommandLine;
let stranger: Socket;

beforeAll(async () => {
  cluster = await startNodeCluster();
  node = await cluster.node('node-a');
  cli = commandLine({ BACKPLANE_URL: cluster.url });
  node.handle('nasty', () => Buffer.from(nasty));
  node.handle('nasty.json', () => Buffer.from(JSON.stringify({ [nasty]: nasty })));
  node.handle('nasty.fail', () => {
    throw new Error(nasty);
  });
  await cluster.write(nastyName, JSON.stringify({ [nasty]: nasty }));
  // What others wrote into the same Redis, or listen to on it.
  const keys = await cluster.redis.cli('HKEYS', 'backplane:{s}:descriptions');
  const described = await cluster.redis.cli('HGET', 'backplane:{s}:descriptions', keys);
  const lie = { ...JSON.parse(described), address: nasty, version: nasty, configHash: nasty };
  await cluster.redis.cli('HSET', 'backplane:{s}:descriptions', keys, JSON.stringify(lie));
  stranger = connect(cluster.redis.port, '127.0.0.1');
  const channels = ['backplane:doc:%1B%5B2J%C2%9B', `backplane:${nasty.replaceAll('\n', '')}`];
  stranger.write(`SUBSCRIBE ${channels.map((name) => JSON.stringify(name)).join(' ')}\r\n`);
  await once(stranger, 'data');
});

afterAll(async () => {
  stranger?.destroy();
  await cli?.stop();
  await cluster?.stop();
});

function expectHarmless(what: string, { stdout, stderr }: Ended): void {
  expect(stdout + stderr, what).not.toMatch(acting);
}

describe('what a terminal would act on', () => {
  test.each(outputFormats)('is not printed by any command with -o %s', async (format) => {
    const run = (line: readonly string[]) => cli.run(...line, '-o', format);
    const allows = (kind: keyof typeof formatsOfKind) => formatsOfKind[kind].includes(format);
    const lines: string[][] = [];
    if (allows('listing')) {
      for (const noun of ['nodes', 'leases', 'docs', 'channels']) lines.push(['inspect', noun]);
    }
    if (allows('stream')) lines.push(['tail', nastyName, '--since', '0', '--count', '1']);
    // The others are written by the same hand: wide as table, a line of jsonl as json.
    if (['table', 'json', 'yaml'].includes(format)) {
      lines.push(['inspect', 'doc', nastyName], ['inspect', 'lease', nastyName]);
      lines.push(['inspect', 'node', 'node-a'], ['rpc', `doc:${nastyName}`, 'state']);
      for (const method of ['nasty', 'nasty.json', 'nasty.fail'])
        lines.push(['rpc', 'all', method]);
      lines.push(['op', nastyName, JSON.stringify({ again: nasty })]);
      lines.push(['op', nastyName, `${nasty} is no JSON`]);
    }
    // Two at a time, as many as a small machine runs at once.
    for (let at = 0; at < lines.length; at += 2) {
      const some = lines.slice(at, at + 2);
      const ended = await Promise.all(some.map(run));
      for (const [index, each] of ended.entries()) {
        const line = some[index] ?? [];
        expectHarmless(line.join(' '), each);
        // Else this test would look at nothing.
        expect(each.code, `${line}: ${each.stderr}`).toBeOneOf([0, 2, 7]);
        if (each.code === 0) expect(each.stdout).not.toBe('');
      }
    }
  });

  test.each(formatsOfKind.stream)('is not printed by a live tail with -o %s', async (format) => {
    const tail = cli.start('tail', `live-${format}`, '-o', format, '--until', 'type=awareness');
    await expect
      .poll(() => cluster.redis.cli('PUBSUB', 'NUMSUB', `backplane:doc:live-${format}`), {
        timeout: 10_000,
      })
      .toMatch(/\n1$/);
    await cluster.write(`live-${format}`, JSON.stringify(nasty));
    await tail.until((stdout) => stdout.includes('fake: ok'));
    node.setAwareness(`live-${format}`, 'peer', Buffer.from(nasty));
    const ended = await tail.ended;
    expect(ended.code).toBe(0);
    expectHarmless('tail', ended);
  });
});

describe('what programs read', () => {
  test('is the same text all the same', async () => {
    const { json } = await cli.run('rpc', 'node:node-a', 'nasty.json', '-o', 'json');
    expect(json()).toMatchObject({ replies: [{ payload: { [nasty]: nasty } }] });
    const docs = await cli.run('inspect', 'docs', '-o', 'jsonl');
    expect(docs.lines().map(({ doc }) => doc)).toContain(nastyName);
  });

  test('is harmless to a shell that completes names', async () => {
    expectHarmless('__complete', await cli.run('__complete', '--', 'inspect', 'lease', ''));
  });
});

describe('an error', () => {
  test.each([
    ['a document', ['inspect', 'doc', `none${nastyName}`]],
    ['a command', [nasty]],
    ['an option', ['inspect', 'nodes', `--${nasty}`]],
    ['a target', ['rpc', nasty, 'ping']],
    ['a filter', ['inspect', 'nodes', '--filter', nasty]],
    ['a file', ['serve', '--token-file', nasty.replaceAll('\u0000', '')]],
  ])('that names %s shows it, and acts on nothing', async (_what, args) => {
    for (const format of [[], ['-o', 'json']]) {
      const ended = await cli.run(...args, ...format);
      expect(ended.code).toBeOneOf([2, 4]);
      expectHarmless(args.join(' '), ended);
      expect(ended.stderr).toMatch(/BP-/);
    }
  });
});
