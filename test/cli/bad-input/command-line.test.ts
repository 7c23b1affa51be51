import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type CommandLine, commandLine } from '../../support/command-line.ts';
import { expectRefusal, expectRefusals } from '../support/expect-refusal.ts';
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
  const refusal = { exit: 2, code: 'BP-URL-INVALID', remedy: 'use redis://' };
  const at = (...urls: string[]) => urls.map((url) => ['--url', url, 'inspect', 'nodes']);

  test.each([
    ['is not a URL', ['nonsense', 'redis://h:99999']],
    ['names no host', ['redis://']],
    ['is not a database number', ['redis://h/first', 'redis://h/-1']],
    ['unix: needs a path', ['unix:']],
    ['no engine has the scheme "ftp:"', ['ftp://h']],
    ['no engine has the scheme "javascript:"', ['javascript:alert(1)']],
    ['this version has no engine for "nats://" yet', ['nats://h']],
  ])('ends with 2 and the schemes there are: %s', async (says, urls) => {
    await expectRefusals(cli, at(...urls), { ...refusal, says });
  });

  test('ends with 2 and how to write a percent sign', async () => {
    await expectRefusals(cli, at('redis://me:%zz@h', 'redis://%@h', 'unix:/%zz'), {
      ...refusal,
      says: 'has a % that is not followed',
      remedy: '%25',
    });
  });

  test('from the environment ends every command with 2, and shows no password', async () => {
    const wrong = commandLine({ BACKPLANE_URL: 'redsi://me:s3cret-word@host' });
    for (const args of [['serve'], ['tail', 'd'], ['lease', 'acquire', 'd']]) {
      const error = await expectRefusal(wrong, args, { ...refusal, says: 'redsi:' });
      expect(JSON.stringify(error)).not.toContain('s3cret-word');
    }
  });

  test('of a store ends with 2 and the stores there are', async () => {
    const lines = ['postgres://h', 'sqlite:', './a-file'].map((url) => ['serve', '--store', url]);
    const says = 'no store has the ';
    await expectRefusals(cli, lines, { ...refusal, says, remedy: 'memory:, sqlite:PATH' });
  });
});

describe('a name that cannot be one', () => {
  const long = 'x'.repeat(10_000);
  const names = [
    ['is empty', '', 'the document name is empty'],
    ['has 10 kB', long, 'the document name has 10000 bytes; at most 512 are allowed'],
    ['has control characters', 'a\u001b[2Jb', 'the document name holds control characters'],
  ] as const;
  const commandsWith = (doc: string) => [
    ['op', doc, '{}'],
    ['tail', 'good', doc],
    ['rpc', `doc:${doc}`, 'ping'],
    ['inspect', 'doc', doc],
    ['inspect', 'lease', doc],
    ['lease', 'acquire', doc],
    ['lease', 'hold', doc, '--', 'true'],
    ['lease', 'release', doc],
    ['lease', 'move', doc, '--to', 'node'],
  ];
  test.each(names)('ends every command with 2 when it %s', async (_what, name, says) => {
    const refusal = { exit: 2, code: 'BP-NAME-INVALID', says, remedy: '1 to 512 bytes' };
    await expectRefusals(cli, commandsWith(name), refusal);
  });

  test('of a node ends every command with 2', async () => {
    const lines = [
      ['rpc', 'node:a b', 'ping'],
      ['node', 'drain', ''],
      ['node', 'evict', 'a\u0007'],
      ['inspect', 'node', long],
      ['lease', 'move', 'd', '--to', 'a/b'],
      ['lease', 'acquire', 'd', '--node', '*'],
      ['serve', '--node-id', '../up'],
      ['lease', 'hold', 'd', '--node-id', ''],
    ];
    const refusal = { exit: 2, code: 'BP-NAME-INVALID', says: 'node id', remedy: 'use ' };
    await expectRefusals(cli, lines, refusal);
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
