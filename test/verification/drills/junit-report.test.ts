import { describe, expect, test } from 'vitest';
import type { DrillReport } from '../../../src/verification/drills/drill-report.ts';
import { junitReport } from '../../../src/verification/drills/reports/junit-report.ts';
import { DrillStory, reportOf } from './support/drill-story.ts';
import { hostile } from './support/hostile-text.ts';
import { readXml, type XmlElement } from './support/read-xml.ts';

const story = async (plan = {}, more: Partial<DrillReport> = {}) =>
  (await reportOf(new DrillStory(plan).happenings(), more)).report;

function suiteOf(report: DrillReport): XmlElement {
  const root = readXml(junitReport([report]));
  expect(root.name).toBe('testsuites');
  expect(root.children.map(({ name }) => name)).toEqual(['testsuite']);
  return root.children[0] as XmlElement;
}

const casesOf = (report: DrillReport) =>
  suiteOf(report).children.filter(({ name }) => name === 'testcase');
const resultOf = (report: DrillReport, name: string) =>
  casesOf(report).find(({ attributes }) => attributes.name?.startsWith(name))?.children[0];

describe('a drill for JUnit', () => {
  test('has a test case for each law and each budget, and counts them right', async () => {
    const report = await story();
    const { attributes, children } = suiteOf(report);
    const cases = casesOf(report);
    expect(cases.length).toBe(1 + report.laws.length + report.budgets.length);
    const results = (result: string) =>
      String(cases.filter((each) => each.children[0]?.name === result).length);
    expect(attributes).toMatchObject({
      ...{ name: 'drill.owner-crash', tests: String(cases.length), failures: '0', errors: '0' },
      ...{ skipped: results('skipped'), timestamp: '2026-03-04T05:06:07', time: '44.000' },
    });
    expect(children.map(({ name }) => name)).toEqual([
      ...['properties', ...cases.map(() => 'testcase'), 'system-out'],
    ]);
    for (const each of cases) {
      expect(each.attributes).toMatchObject({ classname: 'drill.owner-crash', time: '0.000' });
    }
  });

  test('fails with the events that prove it, and skips what is unknown', async () => {
    const report = await story({ losesOne: true });
    const failure = resultOf(report, 'acked-is-kept');
    expect(failure?.name).toBe('failure');
    expect(failure?.attributes.message).toContain('1 violation');
    expect(failure?.text).toMatch(/line \d+ {2}\+.*op\.ok {2}doc=drill-k3f9-2/);
    expect(suiteOf(report).attributes.failures).toBe('1');
    expect(resultOf(report, 'requests-end')?.name).toBe('skipped');
    expect(resultOf(report, 'budget recovery')).toBe(undefined);
  });

  test('is in error when the run proves nothing, and skips what was not measured', async () => {
    const budgets = [{ name: 'p99', limitMs: 5, actualMs: null, kept: false }];
    const reason = 'nothing shows that kill on n2 took effect';
    const report = await story({}, { outcome: 'inconclusive', reason, budgets });
    const error = resultOf(report, 'the run proves something');
    expect(error).toMatchObject({ name: 'error', attributes: { message: reason } });
    expect(suiteOf(report).attributes.errors).toBe('1');
    expect(resultOf(report, 'budget p99')?.name).toBe('skipped');
  });

  test('fails for a budget that was missed', async () => {
    const budgets = [{ name: 'p99', limitMs: 5, actualMs: 80, kept: false }];
    const failure = resultOf(await story({}, { outcome: 'violated', budgets }), 'budget p99');
    expect(failure?.attributes.message).toBe('80ms, with a budget of 5ms');
  });

  test('stays well-formed whatever names and messages hold', async () => {
    const report = await story({}, { scenario: hostile, reason: hostile, replay: hostile });
    const law = { law: hostile, promise: hostile, outcome: 'violated', checked: 1 } as const;
    const events = [{ line: 2, atMs: 1, event: { ev: 'op.ok', doc: hostile } }];
    const laws = [
      { ...law, violations: 1, detail: hostile, counterexamples: [{ claim: hostile, events }] },
    ];
    const suite = suiteOf({ ...report, outcome: 'inconclusive', laws });
    expect(suite.attributes.name).toContain('<script>');
    expect(suite.attributes.name).toContain('\ufffd');
    expect(suite.children.length).toBe(2 + 2 + report.budgets.length);
  });
});
