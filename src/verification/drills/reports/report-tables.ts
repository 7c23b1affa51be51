import { formatDuration } from '../../../foundation/duration.ts';
import { eventText } from '../../event-text.ts';
import type { CounterexampleReport, LawReport } from '../../judge-history.ts';
import { counted } from '../../law.ts';
import type { BudgetReport, FaultReport } from '../drill-report.ts';
import { html, type Markup } from './markup.ts';
import { lawWords } from './verdict-words.ts';

const faultsShown = 500;

/** The few events that prove each violation, in their order; nothing when nothing is violated. */
export function proofs(laws: readonly LawReport[]): Markup | null {
  const violated = laws.filter(({ counterexamples }) => counterexamples.length > 0);
  if (violated.length === 0) return null;
  return html`<section aria-labelledby="proofs">
<h2 id="proofs">What proves it</h2>
<p class="soft">The events of the history that contradict the promise, in the order in which they happened.</p>
${violated.map(proofsOfLaw)}
</section>`;
}

export function faultTable(faults: readonly FaultReport[]): Markup {
  const rows = faults.slice(0, faultsShown).map(({ recoveryMs, ...fault }, at) => {
    const { startMs, endMs, evidence } = fault;
    const held =
      endMs === null ? 'to the end' : endMs === startMs ? '–' : formatDuration(endMs - startMs);
    const seen =
      evidence === null
        ? html`<td class="text unknown"><span class="outcome">nothing shows that it took effect</span></td>`
        : html`<td class="text">${evidence}</td>`;
    return html`<tr><td><span class="badge">${at + 1}</span></td><td>${fault.fault}</td><td>${fault.target}</td><td class="number">+${formatDuration(startMs)}</td><td class="number">${held}</td><td class="number">${recoveryMs === null ? '–' : formatDuration(recoveryMs)}</td>${seen}</tr>`;
  });
  const more = faults.length - rows.length;
  return html`<section aria-labelledby="faults">
<h2 id="faults">What was broken</h2>
${
  rows.length === 0
    ? html`<p>No fault was injected.</p>`
    : html`<p class="soft">An outage is the time for which a document under load waits for its next acknowledgement. It counts from when the fault began, or from its end where nothing can work meanwhile.</p>
<div class="sheet scroll"><table>
<thead><tr><th scope="col">No.</th><th scope="col">Fault</th><th scope="col">On</th><th scope="col" class="number">At</th><th scope="col" class="number">For</th><th scope="col" class="number">Longest outage</th><th scope="col">What shows that it took effect</th></tr></thead>
<tbody>${rows}</tbody>
</table></div>`
}
${more > 0 ? html`<p class="soft">… and ${more} more.</p>` : null}
</section>`;
}

const outcomeWords = { holds: '✓ holds', violated: '✕ violated', unknown: '– unknown' } as const;

export function lawTable(laws: readonly LawReport[]): Markup {
  const rows = laws.map(
    (law) =>
      html`<tr class="${law.outcome}"><td class="text">${law.promise}<span class="law-name"><code>${law.law}</code></span></td><td class="outcome">${outcomeWords[law.outcome]}</td><td class="text">${lawWords(law)}</td></tr>`,
  );
  return html`<section aria-labelledby="laws">
<h2 id="laws">What was promised</h2>
<p class="soft">Each law is judged by the whole history. It is unknown, not kept, when the history has no data about it.</p>
<div class="sheet scroll"><table>
<thead><tr><th scope="col">Law</th><th scope="col">Outcome</th><th scope="col">What was found</th></tr></thead>
<tbody>${rows}</tbody>
</table></div>
</section>`;
}

export function budgetTable(budgets: readonly BudgetReport[]): Markup | null {
  if (budgets.length === 0) return null;
  const rows = budgets.map(({ name, limitMs, actualMs, kept }) => {
    const outcome = kept ? 'kept' : actualMs === null ? 'unknown' : 'missed';
    const word = { kept: '✓ kept', unknown: '– not measured', missed: '✕ missed' }[outcome];
    return html`<tr class="${outcome}"><td>${budgetMeanings[name] ?? name}</td><td class="number">${formatDuration(limitMs)}</td><td class="number">${actualMs === null ? '–' : formatDuration(actualMs)}</td><td class="outcome">${word}</td></tr>`;
  });
  return html`<section aria-labelledby="budgets">
<h2 id="budgets">What it was allowed to take</h2>
<div class="sheet scroll"><table>
<thead><tr><th scope="col">Budget</th><th scope="col" class="number">Limit</th><th scope="col" class="number">Measured</th><th scope="col">Outcome</th></tr></thead>
<tbody>${rows}</tbody>
</table></div>
</section>`;
}

const budgetMeanings: Readonly<Record<string, string>> = {
  p50: 'time to acknowledge, half of the writes (p50)',
  p99: 'time to acknowledge, 99 of 100 writes (p99)',
  recovery: 'longest outage after a fault (recovery)',
};

function proofsOfLaw({ law, promise, violations, counterexamples }: LawReport): Markup {
  const more = violations - counterexamples.length;
  return html`<h3>${law}</h3>
<p class="soft">The promise: ${promise}. ${counted(violations, 'violation')}${more > 0 ? `, of which these were first` : ''}.</p>
${counterexamples.map(proof)}`;
}

function proof({ claim, events }: CounterexampleReport): Markup {
  const rows = events.map((each) => {
    const [name = '', ...fields] = eventText(each).split('  ');
    return html`<tr><td class="number">${each.line}</td><td class="number">${(each.atMs / 1_000).toFixed(3)} s</td><td><code>${name}</code></td><td class="text"><code>${fields.join('  ')}</code></td></tr>`;
  });
  return html`<p><strong>${claim}</strong></p>
<div class="sheet scroll"><table class="proof">
<thead><tr><th scope="col" class="number">Line</th><th scope="col" class="number">At</th><th scope="col">Event</th><th scope="col">What it says</th></tr></thead>
<tbody>${rows}</tbody>
</table></div>`;
}
