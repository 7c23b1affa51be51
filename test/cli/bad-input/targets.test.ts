import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { limits } from '../../../src/foundation/limits.ts';
import { type CommandLine, commandLine } from '../../support/command-line.ts';
import { contentsOf } from '../../support/redis-contents.ts';
import { type RedisServer, startRedisServer } from '../../support/redis-server.ts';
import { type ServedNode, serveNode } from '../../support/serve-node.ts';
import { expectRefusal, expectRefusals } from '../support/expect-refusal.ts';

// Every step starts a process, on a machine that may be busy.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 60_000 });

let redis: RedisServer;
let nodes: ServedNode[];
let cli: CommandLine;

/** Two nodes that serve, and one that was killed and then given up by an operator. */
beforeAll(async () => {
  redis = await startRedisServer();
  cli = commandLine({ BACKPLANE_URL: redis.url });
  const serve = (nodeId: string) =>
    serveNode({ args: ['--url', redis.url, '--port', '0', '--node-id', nodeId] });
  nodes = await Promise.all(['node-a', 'node-b', 'node-dead'].map(serve));
  const dead = nodes[2] as ServedNode;
  await dead.stop();
  await cli.run('node', 'evict', 'node-dead', '--force');
  expect((await cli.run('lease', 'acquire', 'held', '--node', 'node-a')).code).toBe(0);
  expect((await cli.run('op', 'held', '{"n":1}')).code).toBe(0);
});

afterAll(async () => {
  // After all that, both nodes answer.
  const { json } = await cli.run('rpc', 'all', 'ping', '-o', 'json');
  expect(json()).toMatchObject({ replies: [{ ok: true }, { ok: true }], silent: [] });
  await cli.stop();
  await Promise.all(nodes?.map((node) => node.stop()) ?? []);
  await redis?.stop();
});

/** Nothing in Redis is another than before. */
async function untouched(during: () => Promise<unknown>): Promise<void> {
  const before = await contentsOf(redis);
  await during();
  expect(await contentsOf(redis)).toEqual(before);
}

describe('a document that does not exist', () => {
  test('is not found by who asks for it, and is not made by that', () =>
    untouched(async () => {
      const lines = [
        ['inspect', 'doc', 'nope'],
        ['rpc', 'doc:nope', 'ping'],
        ['rpc', 'doc:nope', 'state', '{}'],
        ['inspect', 'doc', 'nope'],
      ];
      await expectRefusals(cli, lines, {
        exit: 4,
        code: 'BP-DOCUMENT-UNKNOWN',
        says: 'there is no document "nope"',
        remedy: 'backplane inspect docs',
      });
    }));

  test('has no lease to look at, release or move', () =>
    untouched(async () => {
      const refusal = { exit: 4, code: 'BP-LEASE-UNKNOWN', says: 'nobody owns "nope"' };
      const remedy = 'backplane inspect leases';
      await expectRefusal(cli, ['inspect', 'lease', 'nope'], { ...refusal, remedy });
      const lines = [
        ['lease', 'release', 'nope'],
        ['lease', 'move', 'nope', '--to', 'node-b'],
      ];
      const redress = 'backplane lease acquire nope';
      await expectRefusals(cli, lines, { ...refusal, remedy: redress });
    }));
});

describe('a payload that the document does not take', () => {
  const refusal = { exit: 2, code: 'BP-PAYLOAD-INVALID', remedy: /\S/ };
  const ops = (...payloads: string[]) => payloads.map((payload) => ['op', 'held', payload]);

  test('ends op with 2 when it is no JSON', () =>
    untouched(() =>
      expectRefusals(cli, ops('not json', '{"a":', "{'a':1}", ''), {
        ...refusal,
        says: 'JSON',
        remedy: 'send valid JSON, or serve with --engine log',
      }),
    ));

  test('ends op with 2 when a key of it would poison a prototype', () =>
    untouched(() =>
      expectRefusals(cli, ops('{"__proto__":{"x":1}}', '{"a":[{"constructor":1}]}'), {
        ...refusal,
        says: /__proto__|constructor/,
      }),
    ));

  test('ends op with 2 when it is nested too deep', () => {
    const depth = limits.jsonDepthMax + 1;
    return untouched(() =>
      expectRefusal(cli, ['op', 'held', '['.repeat(depth) + ']'.repeat(depth)], {
        ...refusal,
        says: `deeper than ${limits.jsonDepthMax}`,
      }),
    );
  });

  test('ends op with 2 when it is above the limit', () =>
    untouched(async () => {
      // One argument is at most 128 KiB, so what is larger comes from standard input.
      const large = `"${'x'.repeat(limits.payloadBytesMax)}"\n`;
      const { code, stdout, stderr } = await cli.runWith(large, 'op', 'held', '-');
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(/^error: line 1 has \d+ bytes.*\[BP-PAYLOAD-TOO-LARGE\]\nhint: .*\n$/);
    }));
});

describe('a method that nobody handles', () => {
  test('ends rpc with 7, whoever is asked, and names who said so', () =>
    untouched(async () => {
      const call = (target: string) => cli.run('rpc', target, 'no.such', '-o', 'json');
      for (const ended of await Promise.all(['doc:held', 'all'].map(call))) {
        const { code, json, stderr } = ended;
        expect(code).toBe(7);
        const says = { ok: false, error: { code: 'BP-METHOD-UNKNOWN', certainty: 'definite' } };
        for (const reply of json().replies as object[]) expect(reply).toMatchObject(says);
        expect(JSON.parse(stderr).error).toMatchObject({
          code: 'BP-METHOD-UNKNOWN',
          certainty: 'definite',
          message: expect.stringMatching(/^no\.such failed on node-[ab]: /),
          remedy: 'backplane rpc node:ID methods',
          exitCode: 7,
        });
      }
    }));

  test('cannot be one of those that run a cluster, or every object has', () =>
    untouched(async () => {
      const call = (method: string) => cli.run('rpc', 'node:node-a', method, '{"doc":"held"}');
      for (const ended of await Promise.all(['lease.release', 'constructor'].map(call))) {
        expect(ended.code).toBe(7);
        expect(ended.stdout).toContain('[BP-METHOD-UNKNOWN]');
      }
    }));
});

describe('a node that is not there', () => {
  const asking = (node: string) => [
    ['rpc', `node:${node}`, 'ping'],
    ['node', 'drain', node],
    ['lease', 'acquire', 'free', '--node', node],
    ['lease', 'move', 'held', '--to', node],
  ];

  test('ends with 4 when there never was one', () =>
    untouched(() =>
      expectRefusals(
        cli,
        [...asking('node-z'), ['inspect', 'node', 'node-z'], ['node', 'evict', 'node-z']],
        {
          exit: 4,
          code: 'BP-NODE-UNKNOWN',
          says: /"node-z"/,
          remedy: 'backplane inspect nodes',
        },
      ),
    ));

  test('ends with 6 when it has died', () =>
    untouched(() =>
      expectRefusals(cli, asking('node-dead'), {
        exit: 6,
        code: 'BP-NODE-DEAD',
        says: '"node-dead" is dead (fenced)',
        remedy: 'backplane inspect nodes',
      }),
    ));
});

describe('a lease that another node holds', () => {
  test('is not given to who asks, who is told the holder', () =>
    untouched(async () => {
      const refusal = { exit: 8, code: 'BP-LEASE-HELD', remedy: 'backplane lease move held --to' };
      const says = '"held" is owned by node-a';
      await expectRefusal(cli, ['lease', 'acquire', 'held', '--node', 'node-b'], {
        ...refusal,
        says,
      });
    }));

  test('keeps lease hold from running its command', async () => {
    const before = await contentsOf(redis);
    const script = ['sh', '-c', 'echo ran'];
    const { code, stdout, stderr } = await cli.run('lease', 'hold', 'held', '--', ...script);
    expect({ code, stdout }).toEqual({ code: 8, stdout: '' });
    expect(stderr).toMatch(/^error: "held" is .*\[BP-LEASE-HELD\]\nhint: .*\n$/);
    const leases = (lines: string[]) => lines.filter((line) => /leases:|doc:/.test(line));
    expect(leases(await contentsOf(redis))).toEqual(leases(before));
  });
});
