import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { DrillReport } from '../../../src/verification/drills/drill-report.ts';
import {
  annotateGithub,
  githubAnnotations,
  githubSummary,
} from '../../../src/verification/drills/reports/github-annotations.ts';
import { DrillStory, reportOf } from './support/drill-story.ts';
import { hostile } from './support/hostile-text.ts';

const folder = mkdtempSync(join(tmpdir(), 'backplane-github-'));
afterAll(() => rmSync(folder, { recursive: true }));

const story = async (plan = {}, more: Partial<DrillReport> = {}) =>
  (await reportOf(new DrillStory(plan).happenings(), more)).report;
const violated = (law: string) => ({
  ...({ law, promise: law, outcome: 'violated', checked: 1, violations: 1, detail: law } as const),
  counterexamples: [{ claim: law, events: [{ line: 2, atMs: 1, event: { ev: law } }] }],
});

describe('annotations', () => {
  test('are none for a pass', async () => {
    expect(githubAnnotations(await story())).toEqual([]);
  });

  test('name the law, and show its first proof and how to see it again', async () => {
    const [line, ...more] = githubAnnotations(await story({ losesOne: true }));
    expect(more).toEqual([]);
    expect(line).toMatch(/^::error title=drill owner-crash%3A acked-is-kept::1 violation; /);
    expect(line).toContain('%0A  line ');
    expect(line).toContain('%0Aagain: backplane drill run owner-crash --seed 4711');
  });

  test('tell of missed budgets, and of a run that proves nothing', async () => {
    const budgets = [{ name: 'p99', limitMs: 5, actualMs: 80, kept: false }];
    const missed = await story({}, { outcome: 'violated', budgets });
    expect(githubAnnotations(missed)[0]).toContain('budget p99::80ms, with a budget of 5ms');
    const open = await story({}, { outcome: 'inconclusive', reason: 'too few ops' });
    expect(githubAnnotations(open)[0]).toContain('inconclusive::too few ops%0A');
  });

  test('are ten at most, and the last says how many there are besides', async () => {
    const laws = Array.from({ length: 13 }, (_, n) => violated(`law-${n}`));
    const lines = githubAnnotations(await story({}, { outcome: 'violated', laws }));
    expect(lines.length).toBe(10);
    expect(lines[9]).toContain('4 more failures');
  });

  test('hold no second command, whatever names and messages say', async () => {
    const laws = [violated(hostile)];
    const lines = githubAnnotations(
      await story({}, { outcome: 'violated', laws, scenario: hostile }),
    );
    for (const line of lines) {
      expect(line).toMatch(/^::error title=[^:,]*::/);
      expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
    }
  });
});

describe('the summary', () => {
  test('says what was found in words and tables', async () => {
    const text = githubSummary(await story({ losesOne: true }));
    expect(text).toMatch(/^### ❌ owner-crash: the cluster broke a promise\n/);
    expect(text).toContain('\n| ❌ | acked-is-kept | 1 violation; ');
    expect(text).toMatch(/\n\| kill on n2 \| \+6s \| [\d.]+m?s \| the process ended by SIGKILL \|/);
    expect(text).toContain('\n| ✅ | p99 | ');
  });

  test('shows what a peer wrote as text and nothing else', async () => {
    const text = githubSummary(await story({}, { scenario: hostile, laws: [violated(hostile)] }));
    const body = text.replace(/<pre>|<\/pre>|<code>|<\/code>/g, '');
    expect(body).not.toMatch(/<|!\[|\]\(|@everyone|\*\*|\/\/evil/);
    const row = text.split('\n').find((line) => line.startsWith('| ❌'));
    expect(row?.split('|').length).toBe(5);
  });
});

describe('on GitHub', () => {
  test('annotations are written, and the summary is appended to that of the step', async () => {
    const path = join(folder, 'summary.md');
    writeFileSync(path, 'before\n');
    let written = '';
    const environment = { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: path };
    await annotateGithub(await story({ losesOne: true }), environment, (text) => {
      written += text;
    });
    expect(written.trimEnd().split('\n').length).toBe(1);
    expect(readFileSync(path, 'utf8')).toMatch(/^before\n### ❌/);
  });

  test('and only there', async () => {
    const written: string[] = [];
    await annotateGithub(await story({ losesOne: true }), {}, (text) => written.push(text));
    expect(written).toEqual([]);
  });
});
