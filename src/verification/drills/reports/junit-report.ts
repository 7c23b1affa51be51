import { counterexampleText } from '../../event-text.ts';
import type { LawReport } from '../../judge-history.ts';
import type { BudgetReport, DrillReport } from '../drill-report.ts';
import { budgetWords, lawWords } from './verdict-words.ts';
import { xmlAttribute, xmlText } from './xml-text.ts';

interface Case {
  readonly name: string;
  readonly result: 'passed' | 'failure' | 'error' | 'skipped';
  readonly message: string;
  /** Lines that prove a failure. */
  readonly proof: readonly string[];
}

interface Totals {
  readonly tests: number;
  readonly failures: number;
  readonly errors: number;
  readonly skipped: number;
}

/**
 * Drills as the XML of JUnit, which every CI reads: a suite for each, with a test case for each law
 * and each budget, and one that says whether the run proves anything, which is in error when it
 * does not.
 */
export function junitReport(reports: readonly DrillReport[]): string {
  const suites = reports.map((report) => ({ report, cases: casesOf(report) }));
  const { skipped: _, ...totals } = totalsOf(suites.flatMap(({ cases }) => cases));
  const durationMs = reports.reduce((sum, report) => sum + report.durationMs, 0);
  const about = { name: 'backplane drill', ...totals, time: seconds(durationMs) };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes(about)}>`,
    ...suites.flatMap(({ report, cases }, id) => suiteLines(report, cases, id)),
    '</testsuites>',
    '',
  ].join('\n');
}

function suiteLines(report: DrillReport, cases: readonly Case[], id: number): string[] {
  const name = `drill.${report.scenario}`;
  // Readers that are strict take no fraction, and no zone.
  const timestamp = report.startedAt.replace(/(\.\d+)?Z$/, '');
  const about = { ...totalsOf(cases), time: seconds(report.durationMs), timestamp };
  return [
    `  <testsuite${attributes({ name, ...about, hostname: 'localhost', id })}>`,
    '    <properties>',
    ...propertiesOf(report).map((each) => `      <property${attributes(each)}/>`),
    '    </properties>',
    ...cases.flatMap((each) => caseLines(name, each)),
    `    <system-out>${xmlText(outputOf(report))}</system-out>`,
    '  </testsuite>',
  ];
}

function casesOf(report: DrillReport): Case[] {
  const { laws, budgets } = report;
  return [conclusiveCase(report), ...laws.map(lawCase), ...budgets.map(budgetCase)];
}

function totalsOf(cases: readonly Case[]): Totals {
  const count = (result: Case['result']) => cases.filter((each) => each.result === result).length;
  return {
    tests: cases.length,
    failures: count('failure'),
    errors: count('error'),
    skipped: count('skipped'),
  };
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(3);
}

function conclusiveCase({ outcome, reason }: DrillReport): Case {
  const isOpen = outcome === 'inconclusive';
  return {
    ...{ name: 'the run proves something', result: isOpen ? 'error' : 'passed', proof: [] },
    message: isOpen ? (reason ?? 'it is inconclusive') : '',
  };
}

function lawCase(law: LawReport): Case {
  const results = { holds: 'passed', violated: 'failure', unknown: 'skipped' } as const;
  const proof = law.counterexamples.flatMap((each) => [...counterexampleText(each), '']);
  const name = `${law.law}: ${law.promise}`;
  return { name, result: results[law.outcome], message: lawWords(law), proof };
}

function budgetCase(budget: BudgetReport): Case {
  const { name, kept, actualMs } = budget;
  const result = kept ? 'passed' : actualMs === null ? 'skipped' : 'failure';
  return { name: `budget ${name}`, result, message: budgetWords(budget), proof: [] };
}

function caseLines(suite: string, { name, result, message, proof }: Case): string[] {
  const open = `    <testcase${attributes({ classname: suite, name, time: '0.000' })}`;
  if (result === 'passed') return [`${open}/>`];
  const types = { skipped: {}, error: { type: 'inconclusive' }, failure: { type: 'violated' } };
  const text = proof.length === 0 ? '' : xmlText(`\n${proof.join('\n')}`);
  return [
    `${open}>`,
    `      <${result}${attributes({ message, ...types[result] })}>${text}</${result}>`,
    '    </testcase>',
  ];
}

function propertiesOf({ run, seed, cluster, outcome, replay, history }: DrillReport) {
  const { nodes, broker, store } = cluster;
  return Object.entries({ run, seed, outcome, nodes, broker, store, history, replay }).map(
    ([name, value]) => ({ name, value }),
  );
}

function outputOf({ faults, replay }: DrillReport): string {
  const evidence = faults.map(
    (each) =>
      `${each.fault} on ${each.target}: ${each.evidence ?? 'nothing shows that it took effect'}`,
  );
  return [...evidence, `again: ${replay}`].join('\n');
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${xmlAttribute(String(value))}"`)
    .join('');
}
