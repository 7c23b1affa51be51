import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openRecording } from '../../src/cli/recording-file.ts';
import { type CommandLine, commandLine } from '../support/command-line.ts';
import { type NodeCluster, startNodeCluster } from '../support/node-cluster.ts';
import { someReport } from '../tui/support/some-pictures.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const folder = mkdtempSync(join(tmpdir(), 'backplane-top-'));
const quickly = ['--interval', '200ms'];
let cluster: NodeCluster;
let backplane: CommandLine;

beforeAll(async () => {
  cluster = await startNodeCluster('node-a', 'node-b');
  await cluster.write('orders', '{"title":"hello"}');
  backplane = commandLine({ BACKPLANE_URL: cluster.url });
});

afterAll(async () => {
  rmSync(folder, { recursive: true });
  await backplane?.stop();
  await cluster?.stop();
});

function recordingOf(...ats: string[]): string {
  const file = join(folder, `${ats.join('-').replace(/\W/g, '')}.jsonl`);
  const header = { type: 'backplane-recording', schemaVersion: 1, startedAt: ats[0], cluster: 'c' };
  const looks = ats.map((at) => someReport({ at }));
  writeFileSync(file, [header, ...looks].map((each) => `${JSON.stringify(each)}\n`).join(''));
  return file;
}

describe('top without a terminal', () => {
  test('prints one look for programs and for people', async () => {
    const look = (await backplane.run('top', '--once', ...quickly, '-o', 'json')).json();
    expect(look).toMatchObject({
      schemaVersion: 1,
      totals: { nodes: { live: 2 }, documents: 1, opsPerSecond: 0 },
      documents: { matching: 1, rows: [{ doc: 'orders', seq: 1 }] },
    });
    const { code, stdout } = await backplane.run('top', '--once', ...quickly);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^nodes +2 live$/m);
    expect(stdout).toMatch(/orders {2}on node-. {2}seq 1/);
  });

  test('says that the dashboard needs a terminal, and what does not', async () => {
    const { code, stderr } = await backplane.run('top');
    expect(code).toBe(2);
    expect(stderr).toContain('--once -o json');
  });

  test('exits 3 at once when there is no broker', async () => {
    const nobody = commandLine({ BACKPLANE_URL: 'redis://127.0.0.1:1' });
    expect((await nobody.run('top', '--once')).code).toBe(3);
  });

  test('records until it is interrupted, and never into a file that exists', async () => {
    const file = join(folder, 'night.jsonl');
    const recording = backplane.start('top', '--record', file, ...quickly);
    await vi.waitFor(
      () => expect(readFileSync(file, 'utf8').split('\n').length).toBeGreaterThan(4),
      {
        timeout: 20_000,
      },
    );
    recording.kill('SIGINT');
    expect((await recording.ended).code).toBe(0);
    const opened = await openRecording(file);
    expect(opened.trend.length).toBeGreaterThanOrEqual(3);
    expect((await opened.read(0)).nodes.map(({ nodeId }) => nodeId)).toEqual(['node-a', 'node-b']);
    // What there was by name, and who owned it, is kept every few seconds; the look before has none.
    const last = await opened.read(opened.trend.length - 1);
    expect(last.documents).toMatchObject({ matching: 1, rows: [{ doc: 'orders' }] });
    expect(last.directory?.rows).toMatchObject([{ doc: 'orders', state: 'held', epoch: 1 }]);
    await opened.close();
    const again = await backplane.run('top', '--record', file);
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('exists already') });
  });
});

describe('a recording', () => {
  test('tells how it was at a time of day', async () => {
    const file = recordingOf('2026-01-31T03:11:00.000Z', '2026-01-31T03:12:30.000Z');
    const at = async (...args: string[]) =>
      (await backplane.run('top', '--replay', file, '--once', '-o', 'json', ...args)).json().at;
    expect(await at()).toBe('2026-01-31T03:12:30.000Z');
    expect(await at('--at', '03:12')).toBe('2026-01-31T03:12:30.000Z');
    expect(await at('--at', '03:12:10')).toBe('2026-01-31T03:11:00.000Z');
  });

  test('that was cut off is read up to there', async () => {
    const file = recordingOf('2026-01-31T04:00:00.000Z', '2026-01-31T04:00:01.000Z');
    appendFileSync(file, '{"at":"2026-01-31T04:0');
    const opened = await openRecording(file);
    expect(opened.trend).toHaveLength(2);
    expect((await opened.read(1)).at).toBe('2026-01-31T04:00:01.000Z');
    await opened.close();
  });

  test.each([
    ['nothing', ''],
    ['another file', '{"name":"x"}\n'],
    ['a later version', '{"type":"backplane-recording","schemaVersion":2}\n'],
    [
      'only a header',
      `${JSON.stringify({ type: 'backplane-recording', schemaVersion: 1, startedAt: '', cluster: '' })}\n`,
    ],
  ])('that is %s is refused', async (_, text) => {
    const file = join(folder, 'wrong.jsonl');
    writeFileSync(file, text);
    const { code, stderr } = await backplane.run('top', '--replay', file, '--once');
    expect(code).toBe(2);
    expect(stderr).toContain('BP-RECORDING-INVALID');
  });

  test('that was tampered with does not reach the terminal raw', async () => {
    const file = recordingOf('2026-01-31T05:00:00.000Z');
    const text = readFileSync(file, 'utf8').replaceAll('web-1', 'web\\u001b[2J');
    writeFileSync(file, text);
    const { stdout } = await backplane.run('top', '--replay', file, '--once');
    expect(stdout).not.toContain('\u001b[2J');
  });
});
