import { describe, expect, test } from 'vitest';
import { budgetsKept } from '../../../src/verification/drills/budgets-kept.ts';
import { figuresOf, RunFigures } from '../../../src/verification/drills/run-figures.ts';
import type { HistoryEvent } from '../../../src/verification/history-event.ts';
import { type Happening, happened, historyText } from '../../support/history-text.ts';
import { verdictOf } from '../support/law-verdicts.ts';
import { DrillStory } from './support/drill-story.ts';

const { invoke, ok, refused, unknown, deliver, fence } = happened;
const at = (t: number, ev: string, fields: object = {}) => ({ t, ev, ...fields });
const start = (t: number, id: string, recoveryFrom = 'start') =>
  at(t, 'fault.start', { id, fault: `${id} on n1`, recoveryFrom });
const end = (t: number, id: string) => at(t, 'fault.end', { id });
const grant = (t: number, session: string, epoch: number, doc = 'd') =>
  at(t, 'lease.grant', { doc, session, epoch });

function measured(happenings: readonly Happening[]): Promise<RunFigures> {
  const pieces = [new TextEncoder().encode(historyText(happenings))];
  return figuresOf({ name: 'the history', pieces });
}

const recoveries = async (happenings: readonly Happening[]) =>
  (await measured(happenings)).faults().map(({ recoveryMs }) => recoveryMs);

/** Two ops a fault keeps waiting: one submitted before it, and one after. */
const outage = (fromMs: number, toMs: number, n = 1) => [
  ...[invoke(`a:${n}`, { t: fromMs - 5 }), at(fromMs, 'note', { text: '' })],
  ...[invoke(`b:${n}`, { t: fromMs + 5 }), ok(`a:${n}`, 2 * n - 1, { t: toMs })],
  ok(`b:${n}`, 2 * n, { t: toMs + 1 }),
];
const inOrder = (...happenings: Happening[]) =>
  happenings.sort((a, b) => (a.t as number) - (b.t as number));

describe('figures', () => {
  test('tell what became of every op, also of those nobody heard of again', async () => {
    const run = await measured([
      ...[invoke('p:1', { t: 0 }), invoke('p:2', { t: 10 }), invoke('p:3'), invoke('p:4')],
      ...[ok('p:1', 1, { t: 1_000 }), refused('p:2'), unknown('p:3'), ok('p:1', 1)],
      ...[deliver('a', 1, 'p:1'), deliver('b', 1, 'p:1', { t: 2_000 })],
      ...[invoke('p:5', { t: 2_000 }), ok('p:5', 2, { t: 2_000 })],
    ]);
    const { ops, deliveries } = run.figures();
    expect(ops).toEqual({ sent: 5, acknowledged: 2, failed: 1, unknown: 2, perSecond: 1 });
    expect(deliveries).toBe(2);
  });

  test('count an op that is tried again from its first attempt', async () => {
    const run = await measured([
      ...[invoke('p:1', { t: 0 }), invoke('p:1', { t: 50 }), ok('p:1', 1, { t: 80 })],
    ]);
    expect(run.figures()).toMatchObject({ ops: { sent: 1 }, latency: { maxMs: 80 } });
  });

  test('give percentiles that are off by less than one in a hundred', async () => {
    const ops = Array.from({ length: 1_000 }, (_, n) => [
      ...[invoke(`p:${n}`, { t: n * 2_000 }), ok(`p:${n}`, n + 1, { t: n * 2_000 + n + 1 })],
    ]);
    const { latency } = (await measured(ops.flat())).figures();
    expect(latency?.maxMs).toBe(1_000);
    expect(Math.abs((latency?.p50Ms ?? 0) - 500)).toBeLessThan(5);
    expect(Math.abs((latency?.p99Ms ?? 0) - 990)).toBeLessThan(10);
  });

  test('say null where nothing was measured', async () => {
    const { figures, faults } = { ...(await asParts([at(0, 'note', { text: '' })])) };
    expect(figures).toMatchObject({ latency: null, takeovers: 0, ops: { perSecond: 0 } });
    expect(faults).toEqual([]);
  });

  test('count requests by how they ended', async () => {
    const send = (id: string) => ({ ev: 'request.send', id, timeoutMs: 100 });
    const ended = (id: string, outcome: string) => ({ ev: 'request.end', id, outcome, code: 'X' });
    const happenings = [
      ...[send('a'), ended('a', 'ok'), send('b'), ended('b', 'failed')],
      ...[send('c'), ended('c', 'unknown')],
    ];
    const { requests } = (await measured(happenings)).figures();
    expect(requests).toEqual({ sent: 3, answered: 1, failed: 1 });
  });

  test('count a takeover when a session owns what another did, and not what is told twice', async () => {
    const run = await measured([
      ...[grant(0, 's', 1), fence('s', 1), grant(20, 't', 2), at(21, 'serve', owned('t', 2))],
      ...[at(30, 'serve', owned('s', 1)), fence('u', 3, 'conflict'), fence('u', 4), fence('u', 5)],
    ]);
    expect(run.figures().takeovers).toBe(2);
  });
});

describe('the recovery of a fault', () => {
  test('is the longest a document waited since it began, or since it was over', async () => {
    const kill = [start(1_000, 'f'), end(1_000, 'f')];
    expect(await recoveries(inOrder(...outage(1_000, 1_400), ...kill))).toEqual([400]);
    const stop = [start(1_000, 'f', 'end'), end(3_000, 'f')];
    expect(await recoveries(inOrder(...outage(1_000, 3_200), ...stop))).toEqual([200]);
  });

  test('is that of each fault, when documents had recovered in between', async () => {
    const happenings = inOrder(
      ...[start(1_000, 'f'), end(1_000, 'f'), ...outage(1_000, 1_400)],
      ...[start(2_000, 'g'), end(2_000, 'g'), ...outage(2_000, 2_700, 2)],
    );
    expect(await recoveries(happenings)).toEqual([400, 700]);
  });

  test('is that of the next one, when it came before anybody had recovered', async () => {
    const happenings = inOrder(
      ...[start(1_000, 'f'), end(1_000, 'f'), start(1_010, 'g'), end(1_010, 'g')],
      ...outage(1_000, 1_400),
    );
    expect(await recoveries(happenings)).toEqual([390, 390]);
  });

  test('counts for all faults of an outage when the last is over', async () => {
    const happenings = inOrder(
      ...[start(1_000, 'f', 'end'), start(1_010, 'g', 'end'), end(2_000, 'f'), end(2_500, 'g')],
      ...outage(1_000, 2_900),
    );
    expect(await recoveries(happenings)).toEqual([400, 400]);
  });

  test('is null when no document was under load, and not over when it never came', async () => {
    expect(await recoveries([start(0, 'f'), end(0, 'f')])).toEqual([null]);
    const never = [start(0, 'f'), end(0, 'f'), invoke('p:1', { t: 5 }), at(900, 'note', note)];
    expect(await recoveries(never)).toEqual([895]);
  });

  test('is what the law about it says', async () => {
    const happenings = new DrillStory().happenings();
    const worst = Math.max(...(await recoveries(happenings)).map((ms) => ms ?? 0));
    const law = await verdictOf('recovery-in-time', happenings);
    expect(law.outcome).toBe('holds');
    expect(law.detail).toContain(`the slowest in ${(worst / 1_000).toPrecision(2)}s`);
  });
});

describe('the series', () => {
  test('has as many acknowledgements, in buckets that cover the run', async () => {
    const run = await measured(new DrillStory().happenings());
    const { buckets, bucketMs, durationMs, load } = run.series();
    const total = buckets.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
    expect(total).toBe(run.figures().ops.acknowledged);
    expect(buckets.length * bucketMs).toBeGreaterThanOrEqual(durationMs);
    expect(load?.fromMs).toBe(1_000);
    expect(load?.toMs).toBeLessThan(20_100);
  });

  test('shows the latency of ops where they were submitted', async () => {
    const kept = [invoke('p:1', { t: 0 }), invoke('p:2', { t: 5_000 }), ok('p:2', 1, { t: 5_001 })];
    const { buckets, bucketMs } = (await measured([...kept, ok('p:1', 2, { t: 9_000 })])).series();
    const at = (ms: number) => buckets[Math.floor(ms / bucketMs)];
    expect(at(0)?.latency?.maxMs).toBe(9_000);
    expect(at(5_000)?.latency?.maxMs).toBe(1);
    expect(at(9_000)).toMatchObject({ acknowledged: 1, latency: null });
  });

  test('stays small however long the run is', () => {
    const run = new RunFigures();
    const hours = 50;
    for (let minute = 0; minute < hours * 60; minute++) {
      const opId = `p:${minute}`;
      const atMs = minute * 60_000;
      observe(run, { ev: 'op.invoke', doc: 'd', opId, atMs });
      observe(run, { ev: 'op.ok', doc: 'd', opId, seq: minute + 1, atMs: atMs + 5 });
      const session = `s${minute}`;
      observe(run, { ev: 'lease.grant', doc: 'd', session, epoch: minute + 1, atMs: atMs + 6 });
      observe(run, { ev: 'node.up', nodeId: 'n', atMs });
      observe(run, { ev: 'node.down', nodeId: 'n', atMs: atMs + 7 });
    }
    run.end();
    const { buckets, lanes, nodes } = run.series();
    expect(buckets.length).toBeLessThanOrEqual(1_000);
    expect(lanes[0]).toMatchObject({ isCut: true });
    expect(lanes[0]?.owners.length).toBeLessThanOrEqual(100);
    expect(nodes.length).toBeLessThanOrEqual(64);
    expect(run.figures().ops.acknowledged).toBe(hours * 60);
  });

  test('shows who owned what, and when nobody did', async () => {
    const { nodes, lanes, buckets } = (await measured(new DrillStory().happenings())).series();
    expect(nodes.map(({ nodeId }) => nodeId)).toEqual(['n1', 'n2', 'n3']);
    const second = lanes.find(({ doc }) => doc.endsWith('-2'));
    expect(second?.owners).toMatchObject([
      { node: 1, epoch: 1, toMs: 6_012 },
      { node: 2, epoch: 2, toMs: null },
    ]);
    expect(second?.owners[1]?.fromMs).toBeGreaterThan(6_640);
    expect(buckets.at(-1)?.owned).toEqual([0, 2, 4]);
    expect(nodes[1]?.up).toEqual([
      { fromMs: 150, toMs: 6_012 },
      { fromMs: 10_000, toMs: null },
    ]);
    expect(nodes[0]?.member.map(({ toMs }) => toMs)).toEqual([15_040, null]);
  });

  test('shows twenty documents of many: those that changed hands, and those a law speaks of', async () => {
    const many = Array.from({ length: 60 }, (_, n) => grant(n, 's', 1, `doc-${n + 1}`));
    const moved = [grant(70, 't', 2, 'doc-40'), grant(71, 't', 2, 'doc-50')];
    const run = await measured([...many, ...moved]);
    const { events } = { events: [{ line: 2, atMs: 0, event: { ev: 'op.ok', doc: 'doc-59' } }] };
    const law = { law: 'l', promise: '', outcome: 'violated', checked: 1, violations: 1 } as const;
    const laws = [{ ...law, detail: '', counterexamples: [{ claim: '', events }] }];
    const { lanes, documents } = run.series(laws);
    expect(documents).toBe(60);
    expect(lanes.length).toBe(20);
    const shown = lanes.map(({ doc }) => doc);
    expect(shown).toEqual(expect.arrayContaining(['doc-1', 'doc-40', 'doc-50', 'doc-59']));
    expect(shown[0]).toBe('doc-59');
  });
});

describe('budgets', () => {
  const budgets = { recoveryMs: 500, p50Ms: 1, p99Ms: 5_000, cleanupMs: 1 };

  test('are kept or not by what was measured, and only those on figures', async () => {
    const kill = [start(1_000, 'f'), end(1_000, 'f')];
    const kept = budgetsKept(await asParts(inOrder(...outage(1_000, 1_400), ...kill)), budgets);
    expect(kept).toMatchObject([
      { name: 'p50', limitMs: 1, kept: false },
      { name: 'p99', limitMs: 5_000, kept: true },
      { name: 'recovery', limitMs: 500, actualMs: 400, kept: true },
    ]);
  });

  test('are not kept when nothing was measured', async () => {
    const kept = budgetsKept(await asParts([at(0, 'note', note)]), budgets);
    expect(kept.map(({ actualMs, kept: isKept }) => [actualMs, isKept])).toEqual([
      ...[
        [null, false],
        [null, false],
        [null, false],
      ],
    ]);
  });
});

const note = { text: '' };

function owned(session: string, epoch: number) {
  return { doc: 'd', session, epoch };
}

async function asParts(happenings: readonly Happening[]) {
  const run = await measured(happenings);
  return { figures: run.figures(), faults: run.faults() };
}

function observe(run: RunFigures, event: object): void {
  run.observe({ line: 1, ...event } as HistoryEvent);
}
