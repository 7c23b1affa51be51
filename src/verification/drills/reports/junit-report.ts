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

/**
 * A drill as the XML of JUnit, which every CI reads: a test case for each law and each budget, and
 * one that says whether the run proves anything, which is in error when it does not.
 */
export function junitReport(report: DrillReport): string {
  const cases = [
    conclusiveCase(report),
    ...report.laws.map(lawCase),
    ...report.budgets.map(budgetCase),
  ];
  const count = (result: Case['result']) => cases.filter((each) => each.result === result).length;
  const totals = {
    tests: cases.length,
    failures: count('failure'),
    errors: count('error'),
  };
  const time = (report.durationMs / 1_000).toFixed(3);
  const suite = `drill.${report.scenario}`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name: 'backplane drill', ...totals, time })}>`,
    `  <testsuite${attributes({
      ...{ name: suite, ...totals, skipped: count('skipped'), time },
      // Readers that are strict take no fraction, and no zone.
      ...{ timestamp: report.startedAt.replace(/(\.\d+)?Z$/, ''), hostname: 'localhost', id: 0 },
    })}>`,
    '    <properties>',
    ...propertiesOf(report).map((each) => `      <property${attributes(each)}/>`),
    '    </properties>',
    ...cases.flatMap((each) => caseLines(suite, each)),
    `    <system-out>${xmlText(outputOf(report))}</system-out>`,
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
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
