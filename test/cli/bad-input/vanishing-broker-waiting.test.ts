import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type CommandLine, commandLine } from '../../support/command-line.ts';
import { monitorRedis, type SeenCommand } from '../../support/redis-monitor.ts';
import { type RedisServer, startRedisServer } from '../../support/redis-server.ts';
import { type ServedNode, serveNode } from '../../support/serve-node.ts';

// Every step starts a process, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let redis: RedisServer;
let cli: CommandLine;
let nodes: ServedNode[];

beforeEach(async () => {
  redis = await startRedisServer();
  cli = commandLine({ BACKPLANE_URL: redis.url });
  const serve = (nodeId: string) =>
    serveNode({ args: ['--url', redis.url, '--port', '0', '--node-id', nodeId] });
  nodes = await Promise.all(['node-a', 'node-b'].map(serve));
  await cli.run('lease', 'acquire', 'd', '--node', 'node-a');
});

afterEach(async () => {
  await cli.stop();
  await Promise.all(nodes.map((node) => node.stop()));
  await redis.stop();
});

describe('a broker that vanishes while a command waits', () => {
  test.each(['SIGKILL', 'SIGSTOP'] as const)('%s ends what waits, in time', async (signal) => {
    const [a, b] = nodes as [ServedNode, ServedNode];
    const tailed = cli.start('-o', 'jsonl', 'tail', 'd', '--since', '0', '--timeout', '2s');
    const piped = cli.start('-o', 'jsonl', 'op', 'd', '-', '--timeout', '2s');
    piped.type('{"n":1}\n');
    await piped.until((stdout) => stdout.includes('"seq":1'));
    await tailed.until((stdout) => stdout.includes('"seq":1'));
    // This node has the request, and does not answer: it stands still.
    b.kill('SIGSTOP');
    const monitor = await monitorRedis(redis);
    const asked = cli.start('-o', 'json', 'rpc', 'node:node-b', 'ping', '--timeout', '4s');
    const acquired = cli.start(
      ...['-o', 'json', 'lease', 'acquire', 'e', '--node', 'node-b', '--timeout', '4s'],
    );
    // By what is asked, not by who sends: the other node may be asking after it at the same time.
    const heldByB = (method: string) => (seen: readonly SeenCommand[]) =>
      seen.some(
        ({ verb, text }) =>
          verb === 'publish' &&
          text.includes(`"backplane:inbox:${b.session}"`) &&
          text.includes(`\\"method\\":\\"${method}\\"`),
      );
    const bothHeld = (seen: readonly SeenCommand[]) =>
      ['ping', 'lease.acquire'].every((method) => heldByB(method)(seen));
    await expect.poll(async () => bothHeld(await monitor.seen()), { timeout: 10_000 }).toBe(true);
    monitor.stop();

    await redis.kill(signal);
    const vanishedMs = performance.now();
    piped.type('{"n":2}\n');
    piped.endInput();
    const all = [asked, acquired, tailed, piped].map((each) => each.ended);
    const [rpc, acquire, tail, op] = (await Promise.all(all)).map(({ code, stderr }) => {
      const { error } = JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '');
      return { code, ...error };
    });
    expect(performance.now() - vanishedMs).toBeLessThan(12_000);
    expect(rpc).toMatchObject({ code: 'BP-DEADLINE-EXCEEDED', certainty: 'indefinite' });
    expect(acquire).toMatchObject({ exitCode: 5, certainty: 'indefinite' });
    expect(tail).toMatchObject({ code: 'BP-BACKPLANE-UNREACHABLE', exitCode: 3 });
    expect(op.exitCode).toBeOneOf([3, 5]);
    expect(op).toMatchObject({ facts: { acknowledged: 1 } });
    // A node stays, and ends when it is told to, although it cannot say good-bye.
    a.kill('SIGTERM');
    const late = new Promise((resolve) => setTimeout(resolve, 15_000, 'late'));
    expect(await Promise.race([a.ended, late])).toBe(0);
  });
});
