import { createHash } from 'node:crypto';
import { formatDuration } from '../../../foundation/duration.ts';
import { counted } from '../../law.ts';
import type { DrillReport } from '../drill-report.ts';
import type { RunSeries } from '../figures/run-series.ts';
import type { Scenario } from '../scenario.ts';
import { html, Markup } from './markup.ts';
import { reportStyle } from './report-style.ts';
import { budgetTable, faultTable, lawTable, proofs } from './report-tables.ts';
import { shownRange, timelinePicture } from './timeline-picture.ts';
import { grouped, headline, verdictSentences } from './verdict-words.ts';

/** What a scenario says about itself. */
type Story = Pick<Scenario, 'proves' | 'elsewhere'>;

/**
 * A drill as one page that needs nothing else: no script, no font, no picture from anywhere, and
 * a policy that lets a browser load none. Whatever a name or a message holds is shown as text.
 */
export function htmlReport(report: DrillReport, story: Story, series: RunSeries): string {
  const style = createHash('sha256').update(reportStyle).digest('base64');
  const policy = `default-src 'none'; style-src 'sha256-${style}'; base-uri 'none'; form-action 'none'`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Markup(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${report.scenario}: ${stamps[report.outcome].toLowerCase()}</title>
<style>${new Markup(reportStyle)}</style>
</head>
<body>
<main>
${verdict(report)}
${tiles(report)}
${timeline(report, series)}
${proofs(report.laws)}
${faultTable(report.faults)}
${lawTable(report.laws)}
${budgetTable(report.budgets)}
${about(report, story)}
${again(report)}
<footer>Written by <code>backplane drill run</code>. This page is complete in itself: it loads nothing and runs nothing.</footer>
</main>
</body>
</html>
`;
  return page.source;
}

const stamps = { pass: 'Pass', violated: 'Violated', inconclusive: 'Inconclusive' } as const;

function verdict(report: DrillReport): Markup {
  const { outcome, scenario, summary, laws } = report;
  const claims = laws.flatMap(({ law, counterexamples }) =>
    counterexamples
      .slice(0, 1)
      .map(({ claim }) => html`<li><strong>${law}</strong>: ${claim}</li>`),
  );
  return html`<header class="verdict ${outcome}">
<p class="stamp"><span class="word">${stamps[outcome]}</span> · drill ${scenario}</p>
<h1>${headline(report)}</h1>
<p>${verdictSentences(report).join(' ')}</p>
${claims.length === 0 ? null : html`<ul class="broken">${claims}</ul>`}
<p class="soft">The scenario: ${summary}.</p>
</header>`;
}

function tiles({ figures, faults, laws }: DrillReport): Markup {
  const { ops, latency, takeovers, deliveries } = figures;
  const waits = faults.map(({ recoveryMs }) => recoveryMs).filter((ms) => ms !== null);
  const held = laws.filter(({ outcome }) => outcome === 'holds').length;
  const unknown = laws.filter(({ outcome }) => outcome === 'unknown').length;
  const all: (readonly [string, string, string])[] = [
    ['Acknowledged', grouped(ops.acknowledged), `writes, ${grouped(ops.perSecond)} per second`],
    ['Refused', grouped(ops.failed), `writes; ${grouped(ops.unknown)} with unknown outcome`],
    [
      'Longest outage',
      waits.length === 0 ? '–' : spaced(Math.max(...waits)),
      waits.length === 0 ? 'after a fault: not measured' : 'of a document after a fault',
    ],
    [
      'Typical write',
      latency === null ? '–' : spaced(latency.p50Ms),
      latency === null
        ? 'nothing was acknowledged'
        : `99 of 100 within ${spaced(latency.p99Ms)}, slowest ${spaced(latency.maxMs)}`,
    ],
    ['Owner changes', grouped(takeovers), `${grouped(deliveries)} deliveries to followers`],
    [
      'Laws that hold',
      `${held} of ${laws.length}`,
      unknown === 0 ? 'all could be judged' : `${unknown} without the data to judge`,
    ],
  ];
  return html`<dl class="tiles">${all.map(
    ([name, figure, more]) =>
      html`<div><dt>${name}</dt><dd class="figure">${figure}</dd><dd class="more">${more}</dd></div>`,
  )}</dl>`;
}

function timeline(report: DrillReport, series: RunSeries): Markup {
  const { fromMs, toMs } = shownRange(series, report.faults);
  const rest = series.durationMs - toMs;
  const settled =
    rest > 1_000
      ? ` After what is shown the run went on for ${formatDuration(rest)}, so that everything could settle and be read.`
      : '';
  const before = fromMs > 0 ? ` It begins ${formatDuration(fromMs)} after the start.` : '';
  return html`<section aria-labelledby="timeline">
<h2 id="timeline">What happened, over time</h2>
<p class="soft">Amber bands are faults, with their number in the table below; a fault that takes no time is a line. Red diamonds are proofs of violations. Point at anything to see what it is.</p>
<figure>
<div class="sheet scroll">${timelinePicture(report, series)}</div>
<figcaption>An op is drawn in the panel of times where it was submitted, and in that of writes where it was acknowledged.${before}${settled}</figcaption>
</figure>
</section>`;
}

function about(report: DrillReport, { proves, elsewhere }: Story): Markup {
  const { cluster, workload, seed, run, startedAt, durationMs } = report;
  const { nodes, broker, store, attached } = cluster;
  const load = [
    `${counted(workload.peers, 'client')} writing ${grouped(workload.opsPerSecond)} times a second`,
    `to ${counted(workload.documents, 'document')}, each followed by ${counted(workload.followers, 'client')}`,
    `${grouped(workload.payloadBytes)} bytes a write`,
    ...(workload.awarenessPerSecond > 0
      ? [`${grouped(workload.awarenessPerSecond)} awareness changes a second`]
      : []),
    ...(workload.requestsPerSecond > 0
      ? [`${grouped(workload.requestsPerSecond)} requests a second`]
      : []),
  ];
  const plan: (readonly [string, string])[] = [
    ['Cluster', `${attached === null ? '' : `${attached}, `}${counted(nodes, 'node')}`],
    ['Broker', broker],
    ['Logs kept in', store],
    ['Load', load.join(', ')],
    ['Started', startedAt],
    ['Took', formatDuration(durationMs)],
    ['Run', run],
    ['Seed', String(seed)],
  ];
  return html`<section aria-labelledby="about">
<h2 id="about">About this drill</h2>
${prose('What a pass proves', proves)}
${prose('What has gone wrong elsewhere', elsewhere)}
<h3>What was run</h3>
<dl class="plan">${plan.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
</section>`;
}

/** Paragraphs as scenarios write them: lines that are set in are sources. */
function prose(title: string, text: string): Markup | null {
  if (text.trim() === '') return null;
  const parts: Markup[] = [];
  let open: string[] = [];
  const close = () => {
    if (open.length > 0) parts.push(html`<p>${open.join(' ')}</p>`);
    open = [];
  };
  for (const line of text.trimEnd().split('\n')) {
    if (/^\s+\S/.test(line)) {
      close();
      parts.push(html`<p class="source">${linked(line.trim())}</p>`);
    } else if (line.trim() === '') close();
    else open.push(line.trim());
  }
  close();
  return html`<h3>${title}</h3>${parts}`;
}

/** An address of the web can be followed; anything else is only text. */
function linked(text: string): Markup {
  if (!/^https:\/\/[\w.-]+(\/[\w./#?=&%+-]*)?$/.test(text)) return html`${text}`;
  return html`<a href="${text}" rel="noopener noreferrer">${text}</a>`;
}

function again({ replay, history }: DrillReport): Markup {
  return html`<section aria-labelledby="again">
<h2 id="again">See for yourself</h2>
<p>The same faults and the same load again:</p>
<pre><code>${replay}</code></pre>
<p>Everything above was read from the recorded history, and whoever has that file can judge it anew:</p>
<pre><code>backplane verify ${history}</code></pre>
</section>`;
}

/** `4.2 s`: with a space, which large type wants. */
function spaced(ms: number): string {
  return formatDuration(ms).replace(/(?<=\d)(?=[a-z])/, '\u00a0');
}
