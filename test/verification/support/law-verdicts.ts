import { expect } from 'vitest';
import { type Budgets, budgetDefaults } from '../../../src/verification/budgets.ts';
import { judgeHistory, type LawReport } from '../../../src/verification/judge-history.ts';
import { type Happening, historyText } from '../../support/history-text.ts';

/** What one law says of a history. */
export async function verdictOf(
  law: string,
  history: readonly Happening[],
  budgets: Partial<Budgets> = {},
): Promise<LawReport> {
  const pieces = [new TextEncoder().encode(historyText(history))];
  const source = { name: 'the history', pieces };
  const report = await judgeHistory(source, { budgets: { ...budgetDefaults, ...budgets } });
  return report.laws.find((each) => each.law === law) as LawReport;
}

/** The lines that prove the first violation; the header is line 1, so the first event is line 2. */
export async function rejected(
  law: string,
  history: readonly Happening[],
  budgets?: Partial<Budgets>,
): Promise<readonly number[] | undefined> {
  const { outcome, counterexamples } = await verdictOf(law, history, budgets);
  expect(outcome).toBe('violated');
  return counterexamples[0]?.events.map(({ line }) => line);
}

export async function outcomeOf(
  law: string,
  history: readonly Happening[],
  budgets?: Partial<Budgets>,
): Promise<string> {
  return (await verdictOf(law, history, budgets)).outcome;
}
