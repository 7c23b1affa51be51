import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type CommandLine, commandLine } from '../../support/command-line.ts';
import { freePort } from '../../support/free-port.ts';
import { runBackplane } from '../../support/run-backplane.ts';
import { expectRefusal, expectRefusals } from '../support/expect-refusal.ts';
import { startSilentServer } from '../support/silent-server.ts';

// Every step starts a process, on a machine that may be busy.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const commands = [
  ['serve', '--port', '0'],
  ['inspect', 'nodes'],
  ['inspect', 'node', 'node-a'],
  ['inspect', 'leases'],
  ['inspect', 'lease', 'd'],
  ['inspect', 'docs'],
  ['inspect', 'doc', 'd'],
  ['inspect', 'channels'],
  ['tail', 'd'],
  ['op', 'd', '{}'],
  ['rpc', 'doc:d', 'ping'],
  ['rpc', 'all', 'ping'],
  ['lease', 'acquire', 'd'],
  ['lease', 'hold', 'd', '--', 'echo', 'ran'],
  ['lease', 'release', 'd'],
  ['lease', 'move', 'd', '--to', 'node-a'],
  ['node', 'drain', 'node-a'],
  ['node', 'evict', 'node-a'],
];

let folder: string;
let port: number;
let cli: CommandLine;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'backplane-unreachable-'));
  port = await freePort();
  cli = commandLine({ BACKPLANE_URL: `redis://127.0.0.1:${port}` });
});

afterAll(async () => {
  await cli.stop();
  await rm(folder, { recursive: true });
});

const unreachable = { exit: 3, code: 'BP-BACKPLANE-UNREACHABLE' };

describe('when nobody listens at the URL', () => {
  test('every command ends with 3, and names the address', async () => {
    await expectRefusals(cli, commands, {
      ...unreachable,
      says: `cannot connect to Redis at 127.0.0.1:${port}: ECONNREFUSED`,
      remedy: 'check --url, and that the server runs',
    });
  });

  test('a command ends within 2 s of its own time', async () => {
    const idle = await runBackplane(['version']);
    const { code, ms } = await runBackplane([
      ...['op', 'd', '{}', '--url', `redis://127.0.0.1:${port}`],
    ]);
    expect(code).toBe(3);
    expect(ms - idle.ms).toBeLessThan(2_000);
  });

  test('a socket that is not there, and a host that has no address, end with 3', async () => {
    const path = join(folder, 'none.sock');
    const remedy = 'check --url';
    const missing = { ...unreachable, says: 'ENOENT', remedy };
    await expectRefusal(cli, ['--url', `unix:${path}`, 'inspect', 'nodes'], missing);
    const nameless = { ...unreachable, says: 'backplane.invalid', remedy };
    await expectRefusal(cli, ['--url', 'redis://backplane.invalid', 'inspect', 'nodes'], nameless);
  });

  test('a command without a URL says that no broker runs, and how to start one', async () => {
    const bare = commandLine({
      BACKPLANE_DATA_DIR: join(folder, 'data'),
      BACKPLANE_BROKER_PORT: String(port),
    });
    for (const args of [
      ['inspect', 'nodes'],
      ['op', 'd', '{}'],
    ]) {
      await expectRefusal(bare, args, {
        ...unreachable,
        says: `no embedded broker runs on 127.0.0.1:${port}`,
        remedy: 'start a node: backplane serve',
      });
    }
  });
});

describe('when somebody listens who does not answer', () => {
  test('every command ends with 3 after the two seconds it waits', async () => {
    const silent = await startSilentServer();
    const url = `redis://127.0.0.1:${silent.port}`;
    const startedMs = performance.now();
    const lines = [
      ['serve', '--port', '0'],
      ['op', 'd', '{}'],
      ['tail', 'd'],
      ['inspect', 'nodes'],
    ];
    await expectRefusals(
      cli,
      lines.map((args) => ['--url', url, ...args]),
      {
        ...unreachable,
        says: 'did not answer within 2000 ms',
        remedy: 'a server that wants TLS needs rediss://',
      },
    );
    // Two rounds of two seconds each.
    expect(performance.now() - startedMs).toBeLessThan(12_000);
    await silent.stop();
  });
});
