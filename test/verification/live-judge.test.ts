import { expect, it } from 'vitest';
import { budgetDefaults } from '../../src/verification/budgets.ts';
import type { Recordable } from '../../src/verification/history-event.ts';
import { lawsOf } from '../../src/verification/law-book.ts';
import { LiveJudge } from '../../src/verification/live-judge.ts';

it('counts violations by law as they happen, and says nothing of laws that hold', () => {
  const judge = new LiveJudge(budgetDefaults);
  const deliver = (seq: number, opId: string): Recordable => ({
    ...{ ev: 'deliver', subscriber: 's', doc: 'd', seq, opId },
  });
  judge.observe(deliver(1, 'a:1'), 1);
  expect(judge.violations()).toEqual([]);
  judge.observe(deliver(3, 'a:3'), 2);
  expect(judge.violations()).toEqual([{ law: 'seq-without-gap', count: 1 }]);
  judge.observe(deliver(3, 'a:3'), 3);
  judge.observe(deliver(6, 'a:6'), 4);
  expect(judge.violations()).toEqual([
    { law: 'applied-once', count: 1 },
    { law: 'seq-without-gap', count: 2 },
  ]);
});

it('has of every law a count that begins at nothing', () => {
  expect(lawsOf(budgetDefaults).map(({ violations }) => violations)).toEqual(
    lawsOf(budgetDefaults).map(() => 0),
  );
});
