import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type CommandLine, commandLine } from '../../support/command-line.ts';
import { freePort } from '../../support/free-port.ts';
import { contentsOf } from '../../support/redis-contents.ts';
import { type RedisServer, startRedisServer } from '../../support/redis-server.ts';
import { serveNode } from '../../support/serve-node.ts';
import { mayMount, SqliteFolder } from '../../support/sqlite-folder.ts';
import { expectRefusal, expectRefusals } from '../support/expect-refusal.ts';
import { startSilentServer } from '../support/silent-server.ts';

// Every step starts a process, on a machine that may be busy.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let redis: RedisServer;
let brokerPort: number;
let files: SqliteFolder;
/** Without a backplane of its own, so that a node would start a broker. */
let bare: CommandLine;

beforeAll(async () => {
  redis = await startRedisServer();
});
beforeEach(async () => {
  files = new SqliteFolder();
  brokerPort = await freePort();
  bare = commandLine({
    BACKPLANE_DATA_DIR: join(files.folder, 'data'),
    BACKPLANE_BROKER_PORT: String(brokerPort),
  });
});
afterEach(async () => {
  await bare.stop();
  await files.remove();
});
afterAll(() => redis.stop());

describe('a port that is taken', () => {
  test('ends serve with 2 and how to ask who has it, before anything is started or made', async () => {
    const taken = await startSilentServer();
    await expectRefusal(bare, ['serve', '--port', String(taken.port)], {
      exit: 2,
      code: 'BP-PORT-BUSY',
      says: `another process listens on 127.0.0.1:${taken.port}`,
      remedy: `choose another with --port, or see who has it: ss -ltnp 'sport = :${taken.port}'`,
    });
    expect(taken.connections()).toBe(0);
    expect(existsSync(join(files.folder, 'data'))).toBe(false);
    await taken.stop();
  });

  test('ends broker with 2, whether it is a stranger or another broker that listens', async () => {
    const refusal = { exit: 2, code: 'BP-PORT-BUSY', remedy: `ss -ltnp 'sport = :` };
    const says = `127.0.0.1:${redis.port}`;
    await expectRefusals(bare, [['broker', '--broker-port', String(redis.port)]], {
      ...refusal,
      says,
    });
    const stranger = await startSilentServer();
    const line = ['broker', '--broker-port', String(stranger.port)];
    await expectRefusals(bare, [line], { ...refusal, says: `127.0.0.1:${stranger.port}` });
    await stranger.stop();
  });
});

describe('a data folder', () => {
  const lines = [['serve', '--port', '0'], ['broker']];
  const refusal = { exit: 2, code: 'BP-DATA-FOLDER-UNUSABLE' };
  const remedy = 'choose another with --data-dir';
  const at = (folder: string) => lines.map((line) => [...line, '--data-dir', folder]);

  test('that lies below a file ends serve and broker with 2', async () => {
    const file = join(files.folder, 'file');
    writeFileSync(file, 'precious');
    await expectRefusals(bare, at(join(file, 'below')), {
      ...refusal,
      says: `cannot write to ${join(file, 'below')}: a part of the path is a file (ENOTDIR)`,
      remedy,
    });
    expect(readFileSync(file, 'utf8')).toBe('precious');
  });

  test('that can only be read ends serve and broker with 2', async () => {
    // What root may not write either: a disk mounted so, or else the kernel's own.
    const place = mayMount ? files.mount(1_000_000) : '/proc/self/fd';
    if (mayMount) files.remountReadOnly();
    const says = `cannot write to ${join(place, 'data')}: `;
    await expectRefusals(bare, at(join(place, 'data')), { ...refusal, says, remedy });
  });

  test.runIf(mayMount)('without room ends serve and broker with 2; no broker runs', async () => {
    const folder = files.mount(16_384);
    const says = `cannot write to ${folder}: no room is left (ENOSPC)`;
    await expectRefusals(bare, at(folder), { ...refusal, says, remedy });
    const absent = await bare.run('inspect', 'nodes');
    expect(absent.code).toBe(3);
  });
});

describe('a SQLite store', () => {
  const serve = (store: string) => [
    ...['serve', '--port', '0', '--url', redis.url, '--store', store],
  ];

  /** The node fails, the file is the same, and nobody has joined the backplane. */
  async function refuses(path: string, refusal: Parameters<typeof expectRefusal>[2]) {
    const before = files.contents();
    await expectRefusals(bare, [serve(`sqlite:${path}`)], refusal);
    expect(files.contents()).toEqual(before);
    expect(await contentsOf(redis)).toEqual([]);
  }

  test.each([
    ['is text', () => writeFileSync(files.path, 'dear diary\n'.repeat(1_000))],
    ['is empty', () => writeFileSync(files.path, '')],
    ['has lost its end', () => truncateSync(files.path, 8_192)],
    ['belongs to another program', () => alter('PRAGMA application_id = 7')],
  ])('that %s ends serve with 1, and is left byte for byte', async (_what, damage) => {
    await files.open();
    await files.closeAll();
    damage();
    await refuses(files.path, {
      exit: 1,
      code: 'BP-STORE-CORRUPT',
      says: files.path,
      remedy: 'restore it from a back-up, or name another with --store',
    });
  });

  test('in the data folder ends a serve without settings as well', async () => {
    const folder = join(files.folder, 'data');
    const path = join(folder, 'documents.sqlite');
    mkdirSync(folder);
    writeFileSync(path, 'dear diary\n'.repeat(1_000));
    await expectRefusals(bare, [['serve', '--port', '0']], {
      exit: 1,
      code: 'BP-STORE-CORRUPT',
      says: path,
      remedy: 'restore it from a back-up, or name another with --store',
    });
    expect(readFileSync(path, 'utf8')).toBe('dear diary\n'.repeat(1_000));
    // The broker that was started for the node ends by itself; until then it is asked who is there.
    const { json } = await bare.run('inspect', 'nodes', '--all', '-o', 'json');
    expect(json()).toMatchObject({ nodes: [] });
    const { pid } = JSON.parse(readFileSync(join(folder, 'broker/broker.json'), 'utf8'));
    process.kill(pid, 'SIGTERM');
    await expect.poll(() => existsSync(join(folder, 'broker/broker.json'))).toBe(false);
  });

  test('that another program has locked ends serve with 1 after a while', async () => {
    await files.open();
    await files.closeAll();
    const other = await lockElsewhere(files.path);
    await refuses(files.path, {
      exit: 1,
      code: 'BP-STORE-LOCKED',
      says: `${files.path} is locked`,
      remedy: 'find it (fuser FILE) and let it finish',
    });
    other.kill('SIGKILL');
    await once(other, 'exit');
  });

  test('where no file can be ends serve with 2', async () => {
    await refuses(files.folder, {
      exit: 2,
      code: 'BP-DATA-FOLDER-UNUSABLE',
      says: 'is not a file',
      remedy: /--data-dir|--store/,
    });
  });

  test.runIf(mayMount)(
    'on a full disk ends an op with 1, and goes on when there is room',
    async () => {
      const disk = files.mount(1_500_000);
      const path = join(disk, 'documents.sqlite');
      const prefix = 'full:';
      const node = await serveNode({
        args: ['--port', '0', '--engine', 'log', '--store', `sqlite:${path}`],
        env: { BACKPLANE_URL: redis.url, BACKPLANE_PREFIX: prefix },
      });
      const cli = commandLine({ BACKPLANE_URL: redis.url, BACKPLANE_PREFIX: prefix });
      expect((await cli.run('op', 'd', 'first')).code).toBe(0);
      const ballast = join(disk, 'ballast');
      fillDisk(ballast);
      const large = 'x'.repeat(100_000);
      await expectRefusal(cli, ['op', 'd', large], {
        exit: 1,
        code: 'BP-STORE-FULL',
        says: 'has no room',
        remedy: 'make room',
      });
      const elsewhere = join(disk, 'another.sqlite');
      await expectRefusals(bare, [serve(`sqlite:${elsewhere}`)], {
        exit: 1,
        code: 'BP-STORE-FULL',
        says: `${elsewhere} has no room`,
        remedy: 'make room',
      });
      expect(existsSync(elsewhere)).toBe(false);
      rmSync(ballast);
      const { json } = await cli.run('op', 'd', 'second', '-o', 'json');
      expect(json()).toMatchObject({ seq: 2 });
      await node.stop();
      await redis.cli('FLUSHALL');
    },
  );

  /** In a process of its own: a lock is lost when its process reads the file by other means. */
  async function lockElsewhere(path: string): Promise<ChildProcess> {
    const script = `
      const { DatabaseSync } = require('node:sqlite');
      const db = new DatabaseSync(${JSON.stringify(path)});
      db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; COMMIT');
      console.log('locked');
      process.stdin.resume();`;
    const stdio = ['pipe', 'pipe', 'ignore'] as const;
    const child = spawn(process.execPath, ['-e', script], { stdio: [...stdio] });
    await once(child.stdout as Readable, 'data');
    return child;
  }

  function fillDisk(path: string): void {
    const file = openSync(path, 'w');
    try {
      for (;;) writeSync(file, new Uint8Array(4_096));
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENOSPC' });
    } finally {
      closeSync(file);
    }
  }

  function alter(sql: string): void {
    const db = new DatabaseSync(files.path);
    db.exec(sql);
    db.close();
  }
});
