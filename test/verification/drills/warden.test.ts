import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readProcess } from '../../../src/verification/drills/nodes/read-process.ts';
import { Warden } from '../../../src/verification/drills/nodes/warden.ts';
import type { WardenOrder } from '../../../src/verification/drills/nodes/warden-orders.ts';
import { realClock } from '../../support/real-clock.ts';
import { type RedisServer, startRedisServer } from '../../support/redis-server.ts';

const doomedDrill = fileURLToPath(new URL('./support/doomed-drill.ts', import.meta.url));
const wardenProgram = fileURLToPath(
  new URL('../../../src/verification/drills/nodes/warden-program.ts', import.meta.url),
);
const children: ChildProcess[] = [];
const folders: string[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function sleeper(): ChildProcess & { readonly pid: number } {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
    stdio: 'ignore',
  });
  children.push(child);
  return child as ChildProcess & { readonly pid: number };
}

function folder(prefix: string, place = tmpdir()): string {
  const path = mkdtempSync(join(place, prefix));
  folders.push(path);
  return path;
}

const lives = (pid: number) => readProcess(pid) !== null;
const place = { temporary: tmpdir(), environment: process.env, clock: realClock };

describe('a drill that is killed', () => {
  let redis: RedisServer;

  beforeAll(async () => {
    redis = await startRedisServer();
  });
  afterAll(() => redis?.stop());

  it('leaves no process, paused, blocked or running, and no folder', async () => {
    const drill = spawn(process.execPath, [doomedDrill, JSON.stringify({ port: redis.port })], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(drill);
    const [line] = await once(createInterface({ input: drill.stdout }), 'line');
    const { pids, folder: kept } = JSON.parse(line);
    const { forgotten, stranger, ...doomed } = pids as Record<string, number>;
    try {
      expect(existsSync(join(kept, 'broker.log'))).toBe(true);
      for (const pid of Object.values(pids)) expect(lives(pid as number)).toBe(true);
      expect(readProcess(stranger as number)?.state).toBe('T');

      drill.kill('SIGKILL');

      const left = () => Object.keys(doomed).filter((name) => lives(doomed[name] as number));
      await expect.poll(left).toEqual([]);
      expect(existsSync(kept)).toBe(false);
      expect(lives(forgotten as number)).toBe(true);
      // One that is not the drill's goes on.
      expect(readProcess(stranger as number)?.state).not.toBe('T');
    } finally {
      // By now the others are gone, and their pids may be somebody else's.
      process.kill(forgotten as number, 'SIGKILL');
      process.kill(stranger as number, 'SIGKILL');
    }
  });
});

describe('a warden', () => {
  it('ends what is left when the drill closes it, and says what that was', async () => {
    const warden = await Warden.start(place);
    const [left, gone] = [sleeper(), sleeper()];
    const path = warden.makeFolder();
    warden.watchProcess(left.pid);
    warden.watchProcess(gone.pid);
    const ended = once(gone, 'exit');
    gone.kill('SIGKILL');
    await ended;
    expect(await warden.close()).toEqual([`process ${left.pid}`, `folder ${path}`]);
    expect(await warden.close()).toHaveLength(2);
    expect([lives(left.pid), existsSync(path), lives(warden.pid)]).toEqual([false, false, false]);
  });

  it('has nothing to say when the drill has cleaned up', async () => {
    const warden = await Warden.start(place);
    const path = warden.makeFolder();
    rmSync(path, { recursive: true });
    warden.forgetFolder(path);
    expect(await warden.close()).toEqual([]);
  });

  it('outlives the signals that end a drill on a terminal', async () => {
    const warden = await Warden.start(place);
    const child = sleeper();
    warden.watchProcess(child.pid);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.kill(warden.pid, signal);
    }
    expect(await warden.close()).toEqual([`process ${child.pid}`]);
  });

  it('refuses to watch when somebody ended it', async () => {
    const warden = await Warden.start(place);
    process.kill(warden.pid, 'SIGKILL');
    const child = sleeper();
    await expect
      .poll(() => {
        try {
          warden.watchProcess(child.pid);
          return 'watches';
        } catch (error) {
          return (error as { code: string }).code;
        }
      })
      .toBe('INTERNAL');
    expect(() => warden.forgetProcess(child.pid)).not.toThrow();
  });

  it('makes no folder where there is no room for one', async () => {
    const temporary = join(folder('backplane-test-'), 'missing');
    const warden = await Warden.start({ ...place, temporary });
    expect(() => warden.makeFolder()).toThrow(
      expect.objectContaining({ code: 'DATA_FOLDER_UNUSABLE' }),
    );
    expect(await warden.close()).toEqual([]);
  });
});

describe('the program of a warden', () => {
  it('spares another process that has the pid of one that has ended', async () => {
    const child = sleeper();
    const startedAt = `${readProcess(child.pid)?.startedAt}0`;
    expect(await obey({ order: 'end', pid: child.pid, startedAt })).toEqual([]);
    expect(lives(child.pid)).toBe(true);
  });

  it('removes no folder that another drill has made under the same name', async () => {
    const path = folder('backplane-drill-');
    expect(await obey({ order: 'remove', path, identity: '1:1' })).toEqual([]);
    expect(existsSync(path)).toBe(true);
  });

  it('removes no folder elsewhere, with another name, or behind a link', async () => {
    const elsewhere = folder('backplane-test-');
    const inner = folder('backplane-drill-', elsewhere);
    const named = folder('somebody-');
    const linked = folder('backplane-test-');
    const link = join(tmpdir(), `backplane-drill-link-${process.pid}`);
    symlinkSync(linked, link);
    folders.push(link);
    const climbing = `${tmpdir()}/backplane-drill-x/../${inner.slice(tmpdir().length + 1)}`;
    const paths = [elsewhere, inner, named, link, climbing];
    expect(await obey(...(await Promise.all(paths.map(removal))))).toEqual([]);
    expect([elsewhere, inner, named, linked].map((path) => existsSync(path))).toEqual(
      Array(4).fill(true),
    );
  });

  it('removes the folder of a drill, whatever is in it', async () => {
    const path = folder('backplane-drill-');
    mkdirSync(join(path, 'broker', 'appendonlydir'), { recursive: true });
    writeFileSync(join(path, 'broker', 'appendonlydir', 'base.rdb'), 'data');
    const outside = folder('backplane-test-');
    writeFileSync(join(outside, 'kept'), '');
    symlinkSync(outside, join(path, 'link'));
    expect(await obey(await removal(path))).toEqual([`folder ${path}`]);
    expect([existsSync(path), existsSync(join(outside, 'kept'))]).toEqual([false, true]);
  });
});

async function removal(path: string): Promise<WardenOrder> {
  const { lstat } = await import('node:fs/promises');
  const { dev, ino } = await lstat(path).catch(() => ({ dev: 0, ino: 0 }));
  return { order: 'remove', path, identity: `${dev}:${ino}` };
}

/** Gives the program its orders and ends its input; answers what it says that it did. */
async function obey(...orders: WardenOrder[]): Promise<string[]> {
  const child = spawn(process.execPath, [wardenProgram, tmpdir()], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(child);
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said += text;
  });
  child.stdin.end(orders.map((order) => `${JSON.stringify(order)}\n`).join(''));
  await once(child, 'close');
  const [ready, ...done] = said.split('\n').filter(Boolean);
  expect(ready).toBe('ready');
  return done;
}
