import { appendFile } from 'node:fs/promises';
import { formatDuration } from '../../../foundation/duration.ts';
import { clipText, safeText } from '../../../foundation/safe-text.ts';
import { counterexampleText } from '../../event-text.ts';
import type { DrillReport } from '../drill-report.ts';
import { budgetWords, faultWords, headline, lawWords, verdictSentences } from './verdict-words.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** GitHub shows ten of a kind for each step, and drops the others without a word. */
const annotationsMax = 10;
const messageLengthMax = 4_000;

/**
 * Tells GitHub Actions what a drill found, when it runs there: an annotation for each failure, and
 * a summary on the page of the job. `write` goes to standard error, which GitHub reads as well.
 */
export async function annotateGithub(
  report: DrillReport,
  environment: Environment,
  write: (text: string) => unknown,
): Promise<void> {
  if (environment.GITHUB_ACTIONS !== 'true') return;
  write(
    githubAnnotations(report)
      .map((line) => `${line}\n`)
      .join(''),
  );
  const path = environment.GITHUB_STEP_SUMMARY;
  if (path !== undefined && path !== '') await appendFile(path, githubSummary(report));
}

/** A workflow command for each violated law, each missed budget, and for a run without a verdict. */
export function githubAnnotations(report: DrillReport): string[] {
  const { scenario, outcome, reason, laws, budgets, replay } = report;
  const failures = [
    ...laws
      .filter((law) => law.outcome === 'violated')
      .map((law) => [
        law.law,
        [
          lawWords(law),
          ...law.counterexamples.slice(0, 1).flatMap(counterexampleText),
          `again: ${replay}`,
        ].join('\n'),
      ]),
    ...budgets
      .filter(({ kept, actualMs }) => !kept && actualMs !== null)
      .map((budget) => [`budget ${budget.name}`, budgetWords(budget)]),
  ];
  if (outcome === 'inconclusive') failures.push(['inconclusive', `${reason}\nagain: ${replay}`]);
  const shown = failures.slice(
    0,
    failures.length > annotationsMax ? annotationsMax - 1 : undefined,
  );
  const rest = failures.length - shown.length;
  if (rest > 0) shown.push(['and more', `${rest} more failures: see the log of this step`]);
  return shown.map(([title = '', text = '']) =>
    commandLine(`drill ${scenario}: ${title}`, clipText(text, messageLengthMax)),
  );
}

/** Markdown for the page of the job. Names and messages are only text there, whatever they say. */
export function githubSummary(report: DrillReport): string {
  const { laws, faults, budgets, replay, scenario, seed } = report;
  const marks = { pass: '✅', violated: '❌', inconclusive: '⚠️' };
  const lawMarks = { holds: '✅', violated: '❌', unknown: '➖' };
  const rows = laws.map((law) => [lawMarks[law.outcome], law.law, lawWords(law)]);
  const faultRows = faults.map(({ startMs, evidence, recoveryMs, ...fault }) => [
    ...[faultWords(fault), `+${formatDuration(startMs)}`],
    recoveryMs === null ? '' : formatDuration(recoveryMs),
    evidence ?? 'nothing shows that it took effect',
  ]);
  const budgetRows = budgets.map((budget) => [
    budget.kept ? '✅' : budget.actualMs === null ? '➖' : '❌',
    ...[budget.name, budgetWords(budget)],
  ]);
  const proofs = laws.flatMap((law) =>
    law.counterexamples.map((each) => `${law.law}: ${counterexampleText(each).join('\n')}`),
  );
  return [
    `### ${marks[report.outcome]} ${plain(scenario)}: ${plain(headline(report).toLowerCase())}`,
    verdictSentences(report).map(plain).join(' '),
    ...table(['', 'law', 'found'], rows),
    ...table(['fault', 'at', 'recovery', 'evidence'], faultRows),
    ...table(['', 'budget', 'measured'], budgetRows),
    ...proofs.map((proof) => `<pre>${proof.split('\n').map(plain).join('\n')}</pre>`),
    `Seed ${seed}. Again: <code>${plain(replay)}</code>`,
    '',
  ].join('\n\n');
}

function table(headers: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    [
      line(headers),
      line(headers.map(() => '---')),
      ...rows.map((cells) => line(cells.map(plain))),
    ].join('\n'),
  ];
}

/** Every character that Markdown, HTML or a mention could be made of, as an entity. */
function plain(text: string): string {
  return safeText(text).replace(/[!#$&'()*<>@[\\\]^_`{|}~"]|(?<=:)\/\/|(?<=www)\./gi, (character) =>
    [...character].map((each) => `&#${each.codePointAt(0)};`).join(''),
  );
}

/** `::error title=…::…`; a line break in it would begin another command. */
function commandLine(title: string, message: string): string {
  const property = commandData(title).replaceAll(':', '%3A').replaceAll(',', '%2C');
  return `::error title=${property}::${commandData(message)}`;
}

function commandData(text: string): string {
  const lines = text.split('\n').map(safeText).join('\n');
  return lines.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}
