import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type CommandLine, commandLine } from '../../support/command-line.ts';
import { expectRefusal } from '../support/expect-refusal.ts';
import { type SilentServer, startSilentServer } from '../support/silent-server.ts';

// Every step starts a process, on a machine that may be busy.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

/** Stands where the backplane should be: what is refused in time never gets there. */
let server: SilentServer;
let cli: CommandLine;
let folder: string;

beforeAll(async () => {
  server = await startSilentServer();
  folder = await mkdtemp(join(tmpdir(), 'backplane-bad-input-'));
  cli = commandLine({
    BACKPLANE_URL: `redis://127.0.0.1:${server.port}`,
    BACKPLANE_DATA_DIR: join(folder, 'data'),
  });
});

afterAll(async () => {
  expect(server.connections()).toBe(0);
  await cli.stop();
  await server.stop();
  await rm(folder, { recursive: true });
});

describe('a word that the command line does not know', () => {
  test.each([
    [['serv'], 'unknown command "serv"', 'did you mean serve?'],
    [['inspect', 'leasse'], 'unknown inspect command "leasse"', 'did you mean leases?'],
    [['lease', 'aquire', 'd'], 'unknown lease command "aquire"', 'did you mean acquire?'],
    [['tail', 'd', '--sinse', '3'], 'unknown option "--sinse"', 'did you mean --since?'],
    [['serve', '--prot', '1'], 'unknown option "--prot"', 'did you mean --port?'],
    [['rpc', 'all', 'ping', '--force'], 'unknown option "--force"', 'backplane rpc --help'],
    [['op', 'd'], 'missing required argument "PAYLOAD"', 'backplane op --help'],
    [['rpc', 'doc-1', 'ping'], '"doc-1" is not a target', 'doc:ID, node:ID or all'],
    [['tail', 'd', '--until', 'nonsense'], '--until: "nonsense"', 'KEY=VALUE'],
    [['serve', '--port', '70000'], '--port: "70000" is not a port', '0 to 65535'],
    [['serve', '--lease-ttl', '30'], '--lease-ttl: "30" is not a duration', '250ms, 30s'],
    [['inspect', 'leases', '--filter', 'no-such'], '--filter: "no-such"', 'KEY=VALUE'],
  ])('%j ends with 2 and the nearest way on', async (args, says, remedy) => {
    await expectRefusal(cli, args, { exit: 2, code: 'BP-USAGE', says, remedy });
  });
});

describe('a URL that is none', () => {
  test.each([
    ['nonsense', 'the value of --url is not a URL'],
    ['redis://', 'names no host'],
    ['redis://h:99999', 'is not a URL'],
    ['redis://h/first', '"first" is not a database number'],
    ['unix:', 'unix: needs a path'],
    ['ftp://h', 'no engine has the scheme "ftp:"'],
    ['nats://h', 'this version has no engine for "nats://" yet'],
    ['javascript:alert(1)', 'no engine has the scheme "javascript:"'],
  ])('%j ends with 2 and the schemes there are', async (url, says) => {
    const refusal = { exit: 2, code: 'BP-URL-INVALID', says, remedy: 'use redis://' };
    await expectRefusal(cli, ['--url', url, 'inspect', 'nodes'], refusal);
  });

  test.each([
    'redis://me:%zz@h',
    'redis://%@h',
    'unix:/%zz',
  ])('%j ends with 2 and how to write a percent sign', async (url) => {
    const says = 'has a % that is not followed';
    const refusal = { exit: 2, code: 'BP-URL-INVALID', says, remedy: '%25' };
    await expectRefusal(cli, ['--url', url, 'inspect', 'nodes'], refusal);
  });

  test('from the environment ends every command with 2, and shows no password', async () => {
    const wrong = commandLine({ BACKPLANE_URL: 'redsi://me:s3cret-word@host' });
    for (const args of [['serve'], ['tail', 'd'], ['lease', 'acquire', 'd']]) {
      const refusal = { exit: 2, code: 'BP-URL-INVALID', says: 'redsi:', remedy: 'use redis://' };
      const error = await expectRefusal(wrong, args, refusal);
      expect(JSON.stringify(error)).not.toContain('s3cret-word');
    }
  });

  test.each([
    ['postgres://h', 'no store has the scheme "postgres:"'],
    ['sqlite:', 'no store has'],
    ['./a-file', 'no store has the form'],
  ])('of a store, %j, ends with 2 and the stores there are', async (store, says) => {
    const refusal = { exit: 2, code: 'BP-URL-INVALID', says, remedy: 'memory:, sqlite:PATH' };
    await expectRefusal(cli, ['serve', '--store', store], refusal);
  });
});

describe('a name that cannot be one', () => {
  const long = 'x'.repeat(10_000);
  const names = [
    ['is empty', '', 'the document name is empty'],
    ['has 10 kB', long, 'the document name has 10000 bytes; at most 512 are allowed'],
    ['has control characters', 'a\u001b[2Jb', 'the document name holds control characters'],
  ] as const;
  const commands: readonly (readonly [string, (doc: string) => string[]])[] = [
    ['op', (doc) => ['op', doc, '{}']],
    ['tail', (doc) => ['tail', 'good', doc]],
    ['rpc', (doc) => ['rpc', `doc:${doc}`, 'ping']],
    ['inspect doc', (doc) => ['inspect', 'doc', doc]],
    ['inspect lease', (doc) => ['inspect', 'lease', doc]],
    ['lease acquire', (doc) => ['lease', 'acquire', doc]],
    ['lease hold', (doc) => ['lease', 'hold', doc, '--', 'true']],
    ['lease release', (doc) => ['lease', 'release', doc]],
    ['lease move', (doc) => ['lease', 'move', doc, '--to', 'node']],
  ];
  const cases = commands.flatMap(([command, line]) =>
    names.map(([what, name, says]) => [command, what, line(name), says] as const),
  );

  test.each(cases)('ends %s with 2 when it %s', async (_command, _what, args, says) => {
    const refusal = { exit: 2, code: 'BP-NAME-INVALID', says, remedy: '1 to 512 bytes' };
    await expectRefusal(cli, args, refusal);
  });

  test.each([
    ['rpc', ['rpc', 'node:a b', 'ping']],
    ['node drain', ['node', 'drain', '']],
    ['node evict', ['node', 'evict', 'a\u0007']],
    ['inspect node', ['inspect', 'node', long]],
    ['lease move', ['lease', 'move', 'd', '--to', 'a/b']],
    ['lease acquire', ['lease', 'acquire', 'd', '--node', '*']],
    ['serve', ['serve', '--node-id', '../up']],
    ['lease hold', ['lease', 'hold', 'd', '--node-id', '']],
  ])('of a node ends %s with 2', async (_command, args) => {
    const refusal = { exit: 2, code: 'BP-NAME-INVALID', says: 'node id', remedy: 'use ' };
    await expectRefusal(cli, args, refusal);
  });
});

describe('a token that cannot be read', () => {
  test('ends with 2, whether the file is missing or empty', async () => {
    const refusal = { exit: 2, code: 'BP-CONFIG-INVALID', remedy: /token/ };
    const missing = join(folder, 'none');
    await expectRefusal(cli, ['serve', '--token-file', missing], {
      ...refusal,
      says: 'cannot be read: ENOENT',
    });
    const empty = join(folder, 'empty');
    await writeFile(empty, '\n');
    await expectRefusal(cli, ['serve', '--token-file', empty], { ...refusal, says: 'is empty' });
  });

  test('ends serve with 2 when it would listen beyond loopback', async () => {
    await expectRefusal(cli, ['serve', '--host', '0.0.0.0'], {
      exit: 2,
      code: 'BP-TOKEN-REQUIRED',
      says: 'listening on 0.0.0.0 without a token',
      remedy: 'BACKPLANE_TOKEN',
    });
  });
});
