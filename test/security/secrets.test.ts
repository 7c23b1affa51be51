import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { format, inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { globalOptionList } from '../../src/cli/global-options.ts';
import { leavesOf, loadCommands } from '../../src/cli/load-commands.ts';
import { createRedactor } from '../../src/cli/redactor.ts';
import { resolveSettings } from '../../src/cli/settings.ts';
import { createTerminalLogger } from '../../src/cli/terminal-logger.ts';
import { Secret } from '../../src/foundation/secret.ts';
import { parseEngineUrl } from '../../src/foundation/url.ts';
import { Capture, cliWorld, idleContext } from '../cli/support/cli-world.ts';
import { type CommandLine, commandLine } from '../support/command-line.ts';
import { freePort } from '../support/free-port.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { type ServedNode, serveNode } from '../support/serve-node.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

// Every step starts a process, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 30_000 });

/** What must be seen nowhere. The second has characters that JSON, URLs and shells write otherwise. */
const canary = 'canary-c0ffee';
const oddCanary = 'canary"\\/@:%+é';

describe('a secret', () => {
  test('S17: is asked for by no flag, only by the name of a file', async () => {
    const commands = leavesOf(await loadCommands(idleContext()));
    const options = [...globalOptionList, ...commands.flatMap(([, { options: some }]) => some)];
    const suspicious = options
      .map(({ flags }) => flags)
      .filter((flags) => /pass|secret|token|key|auth|cred/i.test(flags));
    // The last two take only env:NAME or file:PATH, and refuse a secret unread and unrepeated.
    const ofContexts = ['--url-password <REFERENCE>', '--gateway-token <REFERENCE>'];
    expect(suspicious).toEqual(['--token-file <FILE>', ...ofContexts]);
  });

  test('S18: is hidden as soon as a URL is read, however it is looked at afterwards', () => {
    const password = encodeURIComponent(oddCanary);
    const url = parseEngineUrl(`rediss://me:${password}@host:1/2?token=${password}`);
    if (url.kind !== 'redis') throw new Error('that was a Redis');
    expect(url.address.password?.reveal()).toBe(oddCanary);
    expect(url.text).toBe('rediss://me:***@host:1/2');
    const token = parseEngineUrl(`redis://${canary}@host`);
    expect(token.text).toBe('redis://***@host');
    for (const shown of waysToShow([url, token.text])) {
      expect(shown).not.toMatch(/canary/);
    }
  });

  test('S18: stays hidden among the settings of a command', () => {
    const environment = {
      BACKPLANE_URL: `redis://me:${canary}@host`,
      BACKPLANE_TOKEN: canary,
    };
    const settings = resolveSettings({}, environment, '/home/me');
    expect(settings.token?.reveal()).toBe(canary);
    for (const shown of waysToShow(settings)) expect(shown).not.toContain(canary);
  });

  test('S18: cannot be shown by accident', () => {
    const secret = new Secret(canary);
    for (const shown of waysToShow({ secret, list: [secret] })) {
      expect(shown).not.toContain(canary);
    }
    expect(`${secret}`).toBe('***');
    expect(Object.keys(secret)).toEqual([]);
  });

  test('S21: is taken out of an event before it is written, in whatever spelling', () => {
    const redact = createRedactor({ BACKPLANE_TOKEN: oddCanary }, []);
    for (const json of [true, false]) {
      const err = new Capture();
      const { terminal } = cliWorld({ err });
      const clock = new VirtualClock();
      const options = { terminal, clock, redact, colour: false, json, level: 'debug' as const };
      createTerminalLogger(options).event('warn', 'x', {
        message: `it was ${oddCanary}, twice: ${oddCanary}`,
        deep: { list: [oddCanary] },
      });
      expect(err.text).toContain('***');
      expect(err.text).not.toContain('canary');
    }
  });

  test('S21: is looked for in linear time, also in a long argument', () => {
    const startedMs = performance.now();
    for (const text of ['x'.repeat(1_000_000), 'x://'.repeat(250_000), 'a:@'.repeat(300_000)]) {
      createRedactor({}, [text])(text);
    }
    expect(performance.now() - startedMs).toBeLessThan(3_000);
  });
});

/** Every way in which a value tends to get into a log. */
function waysToShow(value: unknown): string[] {
  return [
    JSON.stringify(value),
    inspect(value, { depth: 9, showHidden: true }),
    format('%s %o %j', value, value, value),
    String(value),
  ];
}

describe('what a program with secrets leaves behind', () => {
  let folder: string;
  let redis: RedisServer;
  let cli: CommandLine;
  let node: ServedNode | null = null;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'backplane-secrets-'));
    redis = await startRedisServer({ args: ['--requirepass', canary] });
  });

  afterEach(async () => {
    await cli?.stop();
    await node?.stop();
    await redis.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('S21: holds none of them, in any format, with --debug, in good times and bad', async () => {
    const environment = {
      BACKPLANE_URL: `redis://:${canary}@127.0.0.1:${redis.port}`,
      BACKPLANE_TOKEN: `token-${canary}`,
    };
    cli = commandLine(environment);
    const said: string[] = [];
    const run = async (...args: string[]) => {
      const { stdout, stderr } = await cli.run(...args);
      said.push(stdout, stderr);
    };
    node = await serveNode({ args: ['--port', '0', '--debug'], env: environment });
    said.push(readFileSync(`/proc/${node.pid}/cmdline`, 'utf8'));
    for (const output of ['table', 'json', 'yaml']) await run('inspect', 'nodes', '-o', output);
    await run('op', 'd', '{"n":1}', '--debug');
    await run('inspect', 'node', node.nodeId, '-o', 'json', '--debug');
    const metrics = await fetch(`${node.address}/metrics`, {
      headers: { authorization: `Bearer token-${canary}` },
    });
    said.push(await metrics.text(), await (await fetch(node.address)).text());
    const wrong = `redis://:wrong-${canary}@127.0.0.1:${redis.port}`;
    for (const output of ['table', 'json']) {
      await run('inspect', 'nodes', '--url', wrong, '--debug', '-o', output);
      await run('tail', 'd', '--url', wrong, '--debug', '-o', output);
    }
    await run('inspect', 'nodes', '--url', `redis://:${canary}@127.0.0.1:1`, '--debug');
    await run('inspect', 'nodes', '--url', `nonsense://${canary}@x`, '--debug');
    await redis.kill('SIGKILL');
    await run('op', 'd', '{"n":2}', '--debug', '-o', 'json', '--timeout', '1s');
    await expect.poll(() => node?.lines.length, { timeout: 10_000 }).toBeGreaterThan(3);
    said.push(JSON.stringify(node.lines), node.stderr());
    expect(said.join('\n').length).toBeGreaterThan(5_000);
    expect(said.filter((text) => text.includes(canary))).toEqual([]);
  });

  test('S17: holds none of them in the arguments, files and records of the broker', async () => {
    const dataDir = join(folder, 'data');
    const tokenFile = join(folder, 'token');
    await writeFile(tokenFile, `token-${canary}\n`);
    const brokerPort = String(await freePort());
    node = await serveNode({
      args: [
        ...['--port', '0', '--data-dir', dataDir, '--broker-port', brokerPort],
        ...['--token-file', tokenFile],
      ],
    });
    const { pid } = JSON.parse(await readFile(join(dataDir, 'broker/broker.json'), 'utf8'));
    try {
      const seen = [pid, node.pid, ...childrenOf(pid)].map((each) =>
        readFileSync(`/proc/${each}/cmdline`, 'utf8'),
      );
      for (const name of readdirSync(dataDir, { recursive: true, encoding: 'utf8' })) {
        seen.push(await readFile(join(dataDir, name), 'latin1').catch(() => ''));
      }
      seen.push(JSON.stringify(node.lines));
      expect(seen.filter((text) => text.includes(canary))).toEqual([]);
    } finally {
      process.kill(pid, 'SIGTERM');
    }
  });
});

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
}
