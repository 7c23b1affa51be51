import { formatDuration } from '../../foundation/duration.ts';
import { BackplaneError } from '../../foundation/errors.ts';
import {
  type Budgets,
  budgetDefaults,
  budgetNames,
  budgetText,
} from '../../verification/budgets.ts';
import {
  type CounterexampleReport,
  type EventReport,
  type HistoryReport,
  judgeHistory,
} from '../../verification/judge-history.ts';
import { lawPromises } from '../../verification/law-book.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { fileInput } from '../file-input.ts';
import { fieldLines, type Line, type Style } from '../output/styled-text.ts';
import { optionList, required } from '../parameters.ts';
import { parseBudget } from '../parse-budget.ts';
import { oneOf } from '../parse-values.ts';

const eventLengthShown = 400;
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

const styles: Readonly<Record<string, Style>> = {
  holds: 'good',
  violated: 'bad',
  unknown: 'warning',
  inconclusive: 'warning',
};

function asLines(report: HistoryReport): Line[] {
  const { outcome, reason, events, acknowledged, faults, durationMs, budgets, laws } = report;
  const width = Math.max(...laws.map(({ law }) => law.length)) + 2;
  const lines = fieldLines([
    ['events', events],
    ['acknowledged', acknowledged],
    ['faults', faults],
    ['time', formatDuration(durationMs)],
    ['budgets', budgetText(budgets)],
    ['verdict', { text: outcome, style: styles[outcome] ?? 'bold' }],
    ['remark', reason],
  ]);
  lines.push('');
  for (const { law, outcome: found, violations, detail } of laws) {
    const count = violations === 0 ? '' : `${violations} violated; `;
    const verdict = { text: found.padEnd(10), style: styles[found] ?? 'bold' } as const;
    lines.push([law.padEnd(width), verdict, `${count}${detail}`]);
  }
  for (const { law, counterexamples } of laws) {
    for (const example of counterexamples) lines.push(...counterexampleLines(law, example));
  }
  return lines;
}

function counterexampleLines(law: string, { claim, events }: CounterexampleReport): Line[] {
  return ['', [{ text: `${law}: `, style: 'bold' }, claim], ...events.map(eventLine)];
}

function eventLine({ line, atMs, event }: EventReport): Line {
  const { ev, t: _, ...fields } = event;
  const text = Object.entries(fields)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
  const shown = text.length > eventLengthShown ? `${text.slice(0, eventLengthShown)}…` : text;
  const place = `  line ${line}  +${formatDuration(atMs)}  `;
  return [{ text: place, style: 'dim' }, `${ev}  ${shown}`];
}
