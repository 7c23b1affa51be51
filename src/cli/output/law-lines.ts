import { eventText, placeText } from '../../verification/event-text.ts';
import type { LawReport } from '../../verification/judge-history.ts';
import type { Line, Span, Style } from './styled-text.ts';

const styles: Readonly<Record<string, Style>> = {
  ...{ holds: 'good', pass: 'good', kept: 'good' },
  ...{ violated: 'bad', missed: 'bad' },
  ...{ unknown: 'warning', inconclusive: 'warning' },
};

/** What a judgement is called, in its colour. */
export function outcomeSpan(outcome: string, width = 0): Span {
  return { text: outcome.padEnd(width), style: styles[outcome] ?? 'bold' };
}

/** What was found about each law, a line each, and then the events that prove violations. */
export function lawLines(laws: readonly LawReport[]): Line[] {
  const width = Math.max(...laws.map(({ law }) => law.length)) + 2;
  const verdicts = laws.map(({ law, outcome, violations, detail }): Line => {
    const count = violations === 0 ? '' : `${violations} violated; `;
    return [law.padEnd(width), outcomeSpan(outcome, 10), `${count}${detail}`];
  });
  return [...verdicts, ...laws.flatMap(counterexampleLines)];
}

function counterexampleLines({ law, counterexamples }: LawReport): Line[] {
  return counterexamples.flatMap(({ claim, events }): Line[] => [
    '',
    [{ text: `${law}: `, style: 'bold' }, claim],
    ...events.map(
      (event): Line => [{ text: `  ${placeText(event)}  `, style: 'dim' }, eventText(event)],
    ),
  ]);
}
