import { formatDuration } from '../../foundation/duration.ts';
import { BackplaneError } from '../../foundation/errors.ts';
import {
  type Budgets,
  budgetDefaults,
  budgetNames,
  budgetText,
} from '../../verification/budgets.ts';
import { type HistoryReport, judgeHistory } from '../../verification/judge-history.ts';
import { lawPromises } from '../../verification/law-book.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { fileInput } from '../file-input.ts';
import { lawLines, outcomeSpan } from '../output/law-lines.ts';
import { fieldLines, type Line } from '../output/styled-text.ts';
import { optionList, required } from '../parameters.ts';
import { parseBudget } from '../parse-budget.ts';
import { oneOf } from '../parse-values.ts';

const lawNames = lawPromises.map(([name]) => name);

/** Checks a history. */
export function verifyCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'verify',
    summary: 'check a recorded history against the laws',
    description: [
      'Reads a history, as drills record it, and says of each law whether it holds, with the few events that prove it when it does not. What may have happened is never held against anybody, and a law whose data are missing is unknown, not kept.',
      `The laws: ${lawPromises.map(([name, promise]) => `${name} (${promise})`).join('; ')}.`,
      'Exits 0 when no law is violated, 9 when one is, 10 when the history proves nothing (no event, nothing acknowledged, no data for any law, or none for one that --require names), 2 when it cannot be read or is not a whole history.',
      'The format of a history is in backplane-history(7), and printed by backplane help history.',
    ],
    impact: 'ro',
    output: 'report',
    arguments: { history: required('a history, or - for standard input', { completes: 'file' }) },
    options: {
      budget: optionList(
        '--budget <NAME=DURATION>',
        `how long something may take; the defaults are ${budgetText(budgetDefaults)}`,
        parseBudget,
        { completes: budgetNames.map((name) => `${name}=`) },
      ),
      require: optionList(
        '--require <LAW>',
        'a law that must be judged: exit 10 when its data are missing; "all" for every one',
        oneOf(...lawNames, 'all'),
        { completes: [...lawNames, 'all'] },
      ),
    },
    examples: [
      { run: 'backplane verify history.jsonl', shows: 'which laws hold' },
      {
        run: 'backplane verify history.jsonl --budget recovery=1s',
        shows: 'failover is fast, too',
      },
      { run: 'backplane verify - -o json < history.jsonl', shows: 'the same for a program' },
    ],
    action: async ({ history }, { budget, require }) => {
      const budgets: Budgets = Object.assign({}, budgetDefaults, ...budget);
      const name = history === '-' ? 'standard input' : history;
      const pieces = fileInput(context.terminal, history);
      const required = require.includes('all') ? lawNames : require;
      const report = await judgeHistory({ name, pieces }, { budgets, required });
      await context.print.report(report, asLines);
      if (report.outcome !== 'holds') throw failureOf(report);
    },
  });
}

function failureOf({ outcome, reason }: HistoryReport): BackplaneError {
  const code = outcome === 'violated' ? 'ASSERTION_FAILED' : 'INCONCLUSIVE';
  return new BackplaneError(code, reason ?? outcome);
}

function asLines(report: HistoryReport): Line[] {
  const { outcome, reason, events, acknowledged, faults, durationMs, budgets, laws } = report;
  const fields = fieldLines([
    ['events', events],
    ['acknowledged', acknowledged],
    ['faults', faults],
    ['time', formatDuration(durationMs)],
    ['budgets', budgetText(budgets)],
    ['verdict', outcomeSpan(outcome)],
    ['remark', reason],
  ]);
  return [...fields, '', ...lawLines(laws)];
}
