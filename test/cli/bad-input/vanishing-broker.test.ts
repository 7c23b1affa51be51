import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  type CommandLine,
  commandLine,
  type Ended,
  type Started,
} from '../../support/command-line.ts';
import { gateBefore, type RedisGate } from '../../support/redis-gate.ts';
import { type RedisServer, startRedisServer } from '../../support/redis-server.ts';
import { type ServedNode, serveNode } from '../../support/serve-node.ts';

// Every step starts a process, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let redis: RedisServer;
let cli: CommandLine;
let nodes: ServedNode[];
let gates: RedisGate[];

beforeEach(async () => {
  redis = await startRedisServer();
  cli = commandLine({ BACKPLANE_URL: redis.url });
  gates = [];
  const serve = (nodeId: string) =>
    serveNode({ args: ['--url', redis.url, '--port', '0', '--node-id', nodeId] });
  nodes = await Promise.all(['node-a', 'node-b'].map(serve));
  await cli.run('lease', 'acquire', 'd', '--node', 'node-a');
});

afterEach(async () => {
  await cli.stop();
  await Promise.all(gates.map((gate) => gate.stop()));
  await Promise.all(nodes.map((node) => node.stop()));
  await redis.stop();
});

/** A command, the Redis command it is in the middle of when Redis vanishes, and what may be. */
interface Case {
  readonly line: readonly string[];
  readonly before: string;
  /** The how manieth of these, when not the first. */
  readonly nth?: number;
  /** It could have changed something by then: it has to say that it may have. */
  readonly doubt: boolean;
}

const timeout = ['--timeout', '3s'];
const cases: readonly Case[] = [
  { line: ['op', 'd', '{"n":1}', '--op-id', 'me:1', ...timeout], before: 'PUBLISH', doubt: true },
  { line: ['op', 'd', '{"n":2}', ...timeout], before: 'GET', doubt: false },
  { line: ['rpc', 'node:node-b', 'ping', ...timeout], before: 'PUBLISH', doubt: true },
  { line: ['rpc', 'all', 'ping', ...timeout], before: 'ZRANGE', doubt: false },
  { line: ['lease', 'acquire', 'e', ...timeout], before: 'PUBLISH', doubt: true },
  { line: ['lease', 'release', 'd', ...timeout], before: 'HGET', doubt: false },
  { line: ['lease', 'move', 'd', '--to', 'node-b', ...timeout], before: 'PUBLISH', doubt: true },
  { line: ['node', 'drain', 'node-b', '--wait', '3s'], before: 'PUBLISH', doubt: true },
  { line: ['node', 'evict', 'node-b', '--force'], before: 'EVALSHA', doubt: true },
  // The first script tries whether writing works; the second opens a session.
  { line: ['lease', 'hold', 'f', '--', 'echo', 'ran'], before: 'EVALSHA', doubt: false },
  { line: ['lease', 'hold', 'g', '--', 'echo', 'ran'], before: 'EVALSHA', nth: 2, doubt: true },
  { line: ['serve', '--port', '0'], before: 'EVALSHA', doubt: false },
  { line: ['inspect', 'nodes'], before: 'EVALSHA_RO', doubt: false },
  { line: ['inspect', 'leases'], before: 'HSCAN', doubt: false },
  { line: ['inspect', 'doc', 'd'], before: 'PUBLISH', doubt: false },
  { line: ['inspect', 'channels'], before: 'PUBSUB', doubt: false },
  { line: ['tail', 'd', ...timeout], before: 'PUBLISH', doubt: false },
];

/** Brings every command to its moment, makes Redis vanish, and lets them run into it. */
async function vanishUnder(signal: 'SIGKILL' | 'SIGSTOP'): Promise<readonly Ended[]> {
  const running: Started[] = [];
  for (const { line, before, nth } of cases) {
    const gate = await gateBefore(redis, before, nth);
    gates.push(gate);
    const started = cli.start('-o', 'json', '--url', gate.url, ...line);
    const over = started.ended.then(({ stderr }) => {
      throw new Error(`${line.join(' ')} never sent ${before}: ${stderr}`);
    });
    running.push(started);
    await Promise.race([gate.reached, over]);
    over.catch(() => {});
  }
  await redis.kill(signal);
  const vanishedMs = performance.now();
  for (const gate of gates) gate.open();
  const ended = await Promise.all(running.map((each) => each.ended));
  // Three seconds were asked for at most, two are waited for an answer, some are the machine's.
  expect(performance.now() - vanishedMs).toBeLessThan(12_000);
  return ended;
}

function expectHonest(ended: readonly Ended[]): void {
  const seen = ended.map(({ code, stdout, stderr }, at) => {
    const [line, ...more] = stderr
      .trimEnd()
      .split('\n')
      .filter((each) => !each.includes('"level"'));
    const { error } = JSON.parse(line ?? '{}');
    return {
      command: cases[at]?.line.join(' '),
      ended: code === 3 || code === 5 ? '3 or 5' : code,
      stdout: stdout.includes('ran') ? stdout : '',
      more,
      codes: /^BP-(BACKPLANE-(LOST|UNREACHABLE)|DEADLINE-EXCEEDED)$/.test(error.code) || error.code,
      exitCode: error.exitCode === code,
      certainty: error.certainty,
      remedy: /\S/.test(error.remedy),
    };
  });
  expect(seen).toEqual(
    cases.map(({ line, doubt }) => ({
      command: line.join(' '),
      ended: '3 or 5',
      stdout: '',
      more: [],
      codes: true,
      exitCode: true,
      certainty: doubt ? 'indefinite' : 'definite',
      remedy: true,
    })),
  );
}

describe('a broker that vanishes in the middle of a command', () => {
  test('by SIGSTOP: every command ends, and says whether it may have happened', async () => {
    expectHonest(await vanishUnder('SIGSTOP'));
    // The requests are still in the socket of Redis, which goes on as if nothing had been. Whoever
    // gets one now may find it too late, or carry it out; the op is applied once in the end.
    await redis.kill('SIGCONT');
    await expect
      .poll(async () => (await cli.run('inspect', 'doc', 'd')).code, { timeout: 15_000 })
      .toBe(0);
    const again = ['op', 'd', '{"n":1}', '--op-id', 'me:1', '-o', 'json'];
    expect((await cli.run(...again)).json()).toMatchObject({ seq: 1 });
    const { json } = await cli.run('op', 'd', '{"n":3}', '-o', 'json');
    expect(json()).toMatchObject({ seq: 2 });
  });

  test('by SIGKILL: every command ends, and says whether it may have happened', async () => {
    expectHonest(await vanishUnder('SIGKILL'));
  });
});
