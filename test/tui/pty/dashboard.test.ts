import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type NodeCluster, startNodeCluster } from '../../support/node-cluster.ts';
import { Pty, type PtyOptions } from '../../support/pty.ts';

// Each starts a process on a machine that may be busy.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const folder = mkdtempSync(join(tmpdir(), 'backplane-dashboard-'));
const opened: Pty[] = [];
let cluster: NodeCluster;

beforeAll(async () => {
  cluster = await startNodeCluster('node-a', 'node-b');
  for (const doc of ['orders', 'plan']) await cluster.write(doc, '{"title":"hello"}');
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((pty) => pty.stop()));
});

afterAll(async () => {
  rmSync(folder, { recursive: true });
  await cluster?.stop();
});

function top(args: readonly string[] = [], options: PtyOptions = {}): Pty {
  const env = { BACKPLANE_URL: cluster.url, ...options.env };
  const pty = new Pty(['top', ...args], { ...options, env });
  opened.push(pty);
  return pty;
}

const shows = (text: string) => (screen: string[]) => screen.some((line) => line.includes(text));
const isLive = (screen: string[]) =>
  /live \d\d:\d\d:\d\d/.test(screen[0] ?? '') && shows('node-b')(screen);

/** The alternate screen left, the cursor shown, and what was there before is there. */
function expectGivenBack(pty: Pty): void {
  expect(pty.isAlternate).toBe(false);
  expect(pty.bytes.lastIndexOf('\u001b[?1049l')).toBeGreaterThan(
    pty.bytes.lastIndexOf('\u001b[?1049h'),
  );
  expect(pty.bytes.lastIndexOf('\u001b[?25h')).toBeGreaterThan(
    pty.bytes.lastIndexOf('\u001b[?25l'),
  );
  expect(pty.screen().join('').trim()).toBe('');
}

describe('the dashboard on a terminal', () => {
  test('shows the cluster, walks through its views, and gives the terminal back on q', async () => {
    const pty = top();
    await pty.until(isLive);
    expect(pty.isAlternate).toBe(true);
    pty.type('3');
    await pty.until((screen) => shows('orders')(screen) && shows('2 documents owned')(screen));
    pty.type('4');
    await pty.until((screen) => screen.some((line) => /plan +held +node-/.test(line)));
    pty.type(':doc orders\r');
    await pty.until((screen) => shows('{"title":"hello"}')(screen) && shows('held by')(screen));
    pty.type('q');
    expect(await pty.ended).toMatchObject({ exitCode: 0 });
    expectGivenBack(pty);
  });

  test('gives the terminal back on ctrl-c and on SIGTERM', async () => {
    const interrupted = top();
    await interrupted.until(isLive);
    interrupted.type('\u0003');
    expect(await interrupted.ended).toMatchObject({ exitCode: 0 });
    expectGivenBack(interrupted);
    const terminated = top();
    await terminated.until(isLive);
    terminated.kill('SIGTERM');
    expect(await terminated.ended).toMatchObject({ exitCode: 0 });
    expectGivenBack(terminated);
  });

  test('fits 40x10 and 300x100, and leaves no debris when it is resized', async () => {
    const pty = top([], { columns: 120, rows: 36 });
    await pty.until(isLive);
    const fits = (columns: number, rows: number) => (screen: string[]) =>
      screen.length === rows &&
      /live \d\d:\d\d:\d\d$/.test(screen[0] ?? '') &&
      (screen[0] ?? '').length === columns &&
      (screen.at(-1) ?? '').startsWith('? help') &&
      screen.filter((line) => line.includes('? help')).length === 1 &&
      screen.filter((line) => line.startsWith('ops/s')).length === 1;
    for (const [columns, rows] of [
      [40, 10],
      [300, 100],
      [61, 17],
      [120, 36],
    ] as const) {
      pty.resize(columns, rows);
      await pty.until(fits(columns, rows));
    }
  });

  test('moves a document after a yes, and its new owner is seen', async () => {
    const pty = top();
    await pty.until(isLive);
    pty.type(':doc plan\r');
    const [before] = (await pty.until(shows('held by node-'))).flatMap(
      (line) => /held by (node-.)/.exec(line)?.[1] ?? [],
    );
    pty.type('x');
    await pty.until(shows('move plan'));
    pty.type('1');
    await pty.until(shows('Move plan'));
    pty.type('1');
    await pty.until(shows('Are you sure?'));
    pty.type('y');
    const after = before === 'node-a' ? 'node-b' : 'node-a';
    await pty.until(shows(`held by ${after}`));
    expect((await cluster.engine.leases.read('plan'))?.epoch).toBeGreaterThan(1);
  });

  test('says since when the broker is gone, keeps the picture, and recovers', async () => {
    const pty = top();
    await pty.until(isLive);
    await cluster.redis.kill('SIGSTOP');
    try {
      const screen = await pty.until((rows) => /BROKER GONE since \d\d:/.test(rows[0] ?? ''));
      expect(shows('node-a')(screen)).toBe(true);
    } finally {
      await cluster.redis.kill('SIGCONT');
    }
    const screen = await pty.until((rows) => isLive(rows) && shows('the broker is back')(rows));
    expect(shows('the broker is gone')(screen)).toBe(true);
  });

  test('stops on ctrl-z like any program, and draws itself again on fg', async () => {
    const env = { BACKPLANE_URL: cluster.url, PS1: 'shell> ' };
    const pty = new Pty([], { command: ['/bin/bash', '--norc', '--noprofile', '-i'], env });
    opened.push(pty);
    await pty.until(shows('shell>'));
    const node = process.execPath;
    pty.type(`${node} bin/backplane.js top\r`);
    await pty.until(isLive);
    pty.type('\u001a');
    await pty.until((screen) => shows('Stopped')(screen) && !pty.isAlternate && screen.length > 0);
    pty.type('stty -a | grep -o " icanon"\r');
    await pty.until((screen) => screen.some((line) => line.trim() === 'icanon'));
    pty.type('fg\r');
    await pty.until((screen) => pty.isAlternate && isLive(screen));
    pty.type('q');
    await pty.until((screen) => !pty.isAlternate && shows('shell>')(screen));
  });

  test('draws without colour and beyond ASCII nothing when asked to', async () => {
    const coloured = top();
    await coloured.until(isLive);
    expect(coloured.bytes).toMatch(/\u001b\[32m/);
    const pty = top(['--ascii'], { env: { NO_COLOR: '1' } });
    await pty.until(isLive);
    // Dim and bold stay: they are no colours.
    expect(pty.bytes).not.toMatch(/\u001b\[(?:3[0-7]|9[0-7]|38;)/);
    expect(pty.screen().join('')).toMatch(/^[\x20-\x7e]*$/);
  });

  test('records what it sees, and replays it with a slider', async () => {
    const file = join(folder, 'recording.jsonl');
    const recorder = top(['--record', file, '--interval', '200ms']);
    await recorder.until(isLive);
    await vi.waitFor(
      () => expect(readFileSync(file, 'utf8').split('\n').length).toBeGreaterThan(5),
      {
        timeout: 20_000,
      },
    );
    recorder.type('q');
    await recorder.ended;
    const looks = readFileSync(file, 'utf8').trimEnd().split('\n').length - 1;
    const replay = top(['--replay', file]);
    await replay.until((screen) => shows('REPLAY')(screen) && shows(`${looks}/${looks}`)(screen));
    replay.type('\u001b[D');
    await replay.until(shows(`${looks - 1}/${looks}`));
    replay.type('2');
    await replay.until(shows('Nodes (2)'));
    replay.type('q');
    expect(await replay.ended).toMatchObject({ exitCode: 0 });
    expectGivenBack(replay);
  });
});
