import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type Happening, happened, historyText } from '../support/history-text.ts';
import { runBackplane } from '../support/run-backplane.ts';
import { runInProcess } from './support/cli-world.ts';

const { invoke, ok, deliver, logged, head } = happened;

const folder = mkdtempSync(join(tmpdir(), 'backplane-verify-'));
afterAll(() => rmSync(folder, { recursive: true }));

function written(text: string, name = 'history.jsonl'): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const verify = (history: readonly Happening[], ...more: string[]) =>
  runInProcess(['verify', written(historyText(history)), ...more]);

const good = [
  ...[invoke('p:1'), ok('p:1', 1), deliver('a', 1, 'p:1'), deliver('b', 1, 'p:1')],
  ...[logged(1, 'p:1'), head(1)],
];
const lost = [invoke('p:1'), ok('p:1', 1), head(0)];

describe('verify', () => {
  test('exits 0 when every law it can judge holds', async () => {
    const { code, stdout, stderr } = await verify(good);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^acked-is-kept +holds/m);
  });

  test('exits 9 and shows the events that prove a violation', async () => {
    const { code, stdout, stderr } = await verify(lost);
    expect(code).toBe(9);
    expect(stdout).toMatch(/^acked-is-kept +violated +1 violated/m);
    expect(stdout).toContain('  line 3  +10ms  op.ok  doc=d opId=p:1 seq=1\n');
    expect(stdout).toContain('  line 4  +20ms  final.head  doc=d seq=0\n');
    expect(stderr).toContain('[BP-ASSERTION-FAILED]');
  });

  test('prints a report for programs', async () => {
    const { code, stdout } = await verify(lost, '-o', 'json');
    expect(code).toBe(9);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({
      ...{ schemaVersion: 1, outcome: 'violated', events: 3, acknowledged: 1, durationMs: 20 },
      budgets: { recoveryMs: 30_000 },
    });
    expect(report.laws[0]).toMatchObject({
      ...{ law: 'acked-is-kept', outcome: 'violated', checked: 1, violations: 1 },
      counterexamples: [{ events: [{ line: 3, atMs: 10, event: { ev: 'op.ok', seq: 1 } }, {}] }],
    });
  });

  test.each([
    ['no event', []],
    ['nothing acknowledged', [deliver('a', 1, 'p:1'), deliver('b', 1, 'p:1'), head(1)]],
    ['no data for any law', [{ ev: 'note', text: 'nothing to see' }]],
  ])('exits 10 with %s', async (_what, history: Happening[]) => {
    const { code, stderr } = await verify(history);
    expect(code).toBe(10);
    expect(stderr).toContain('[BP-INCONCLUSIVE]');
  });

  test('reads standard input, and nothing of a cluster', async () => {
    const input = historyText(good);
    const environment = { BACKPLANE_URL: 'redis://127.0.0.1:1' };
    const { code, stdout } = await runBackplane(['verify', '-', '-o', 'json'], {
      environment,
      input,
    });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ outcome: 'holds', events: good.length });
  });

  test('exits 2 for a file that is not there', async () => {
    const { code, stderr } = await runInProcess(['verify', join(folder, 'no-such-file')]);
    expect(code).toBe(2);
    expect(stderr).toContain('[BP-HISTORY-INVALID]');
  });

  const header = '{"v":1,"kind":"history","unit":"ms"}\n';
  test.each([
    ['is empty', '', 'it is empty'],
    ['is something else', 'hello\n', 'line 1: it is not a history'],
    ['is other JSON', '{"kind":"report"}\n', 'line 1: it is not a history'],
    ['has another version', '{"v":2,"kind":"history","unit":"ms"}\n', 'line 1: it has version 2'],
    ['has another unit', '{"v":1,"kind":"history","unit":"h"}\n', 'line 1: unit must be one of'],
    ['has a line that is no JSON', `${header}{"t":1\n`, 'line 2: the line is not JSON'],
    ['has a list in a line', `${header}[]\n`, 'line 2: the line is not a JSON object'],
    ['has no time', `${header}{"ev":"note","text":""}\n`, 'line 2: t must be a number'],
    ['has an event nobody knows', `${header}{"t":1,"ev":"op.yes"}\n`, 'line 2: "op.yes" is no'],
    [
      'has no event in a line',
      `${header}{"t":1,"ev":{"toString":1}}\n`,
      'line 2: {"toString":1} is no',
    ],
    [
      'has a line without an end',
      `${header}${'x'.repeat(17_000_000)}`,
      'line 2: the line is longer',
    ],
    [
      'has a field that is not right',
      `${header}{"t":1,"ev":"op.ok","doc":"d","opId":"p:1","seq":"1"}\n`,
      'line 2: seq of op.ok must be a whole number',
    ],
    [
      'goes back in time',
      `${header}{"t":2,"ev":"note","text":""}\n{"t":1,"ev":"note","text":""}\n`,
      'line 3: the time goes back from 2 to 1',
    ],
    ['is cut off in a line', historyText(good).slice(0, 60), 'line 2: the line is not JSON'],
    ['is cut off behind a line', `${header}{"t":2,"ev":"note","text":""}`, 'line 2: it is cut off'],
    ['has no end', `${header}{"t":2,"ev":"note","text":""}\n`, 'line 2: it is cut off'],
    ['lost a line', `${header}{"t":2,"ev":"end","events":1}\n`, 'line 2: it says 1 events'],
    ['goes on behind its end', `${historyText(good)}{}\n`, 'line 9: something stands behind'],
  ])('exits 2 and says where a history %s', async (_what, text, message) => {
    const { code, stdout, stderr } = await runInProcess(['verify', written(text)]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).toContain('[BP-HISTORY-INVALID]');
  });

  test('exits 2 for bytes that are no text', async () => {
    const path = join(folder, 'bytes');
    writeFileSync(path, Buffer.from([0xff, 0xfe, 0x0a]));
    const { code, stderr } = await runInProcess(['verify', path]);
    expect(code).toBe(2);
    expect(stderr).toContain('not UTF-8');
  });

  test('shows names that would control a terminal, and does not obey them', async () => {
    const doc = 'a\u001b[2Jb';
    const { stdout, stderr } = await verify([
      { ...ok('p:1', 1), doc },
      { ...head(0), doc },
    ]);
    expect(stdout).toContain('acked-is-kept');
    expect(stdout + stderr).not.toContain('\u001b');
    const wrong = `${header}{"t":1,"ev":"\\u001b[2J"}\n`;
    const refusal = await runInProcess(['verify', written(wrong)]);
    expect(refusal.stderr).not.toContain('\u001b');
  });

  test('reads a history the same however its bytes are cut, with names of several bytes', async () => {
    const doc = 'Übersicht 🦊';
    const happenings = [
      { ev: 'op.ok', doc, opId: 'p:1', seq: 1 },
      { ...head(0), doc },
    ];
    const { stdout } = await verify(happenings, '-o', 'json');
    expect(JSON.parse(stdout).laws[0].counterexamples[0].events[0].event.doc).toBe(doc);
  });

  test.each([
    ['speed=1s', '"speed=1s" is no budget'],
    ['recovery', '"recovery" is no budget'],
    ['recovery=fast', '"fast" is not a duration'],
  ])('refuses --budget %s', async (budget, message) => {
    const { code, stderr } = await verify(good, '--budget', budget);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  test('exits 10 when a law that is required could not be judged', async () => {
    expect((await verify(good, '--require', 'acked-is-kept')).code).toBe(0);
    const { code, stderr } = await verify(good, '--require', 'requests-end');
    expect(code).toBe(10);
    expect(stderr).toContain('the data for requests-end are missing');
    expect((await verify(good, '--require', 'all')).code).toBe(10);
    expect((await verify(lost, '--require', 'all')).code).toBe(9);
    expect((await verify(good, '--require', 'gravity')).code).toBe(2);
  });

  test('takes several budgets at once', async () => {
    const { stdout } = await verify(good, '--budget', 'recovery=1s,awareness=2s', '-o', 'json');
    expect(JSON.parse(stdout).budgets).toMatchObject({ recoveryMs: 1_000, awarenessMs: 2_000 });
  });
});
