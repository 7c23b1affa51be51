import { describe, expect, test } from 'vitest';
import { drillLines } from '../../src/cli/output/drill-lines.ts';
import { progressBlock, progressLine } from '../../src/cli/output/drill-progress-lines.ts';
import { type Line, renderLine } from '../../src/cli/output/styled-text.ts';
import type { DrillProgress } from '../../src/verification/drills/drill.ts';
import { DrillStory, reportOf } from '../verification/drills/support/drill-story.ts';

const shown = (lines: readonly Line[]) => lines.map((line) => renderLine(line, false)).join('\n');
const story = async (plan = {}, more = {}) =>
  (await reportOf(new DrillStory(plan).happenings(), more)).report;

describe('what a drill found, in lines', () => {
  test('is the verdict, figures, faults with their recovery, budgets and laws', async () => {
    const text = shown(drillLines(await story()));
    expect(text).toMatch(/^owner-crash {2}the node that owns/);
    expect(text).toMatch(/^verdict +pass$/m);
    expect(text).toMatch(/^latency +p50 [\d.]+ms, p99 \d+ms, at most [\d.]+s$/m);
    expect(text).toMatch(/^FAULT +ON +AT +FOR +RECOVERY +EVIDENCE$/m);
    expect(text).toMatch(/^kill +n2 +\+6s +- +\d+ms +the process ended by SIGKILL$/m);
    expect(text).toMatch(/^recovery +kept +[\d.]+s of 2s$/m);
    expect(text).toMatch(/^acked-is-kept +holds /m);
    expect(text).toMatch(/^again: backplane drill run owner-crash --seed 4711$/m);
  });

  test('is why it is no pass, and the events that prove a violation', async () => {
    const text = shown(drillLines(await story({ losesOne: true })));
    expect(text).toMatch(/^why +1 law is violated$/m);
    expect(text).toMatch(/^acked-is-kept: p\d:\d+ was acknowledged as seq/m);
    expect(text).toMatch(/^ {2}line \d+ {2}\+\d+s {2}op\.ok {2}doc=drill-k3f9-2 /m);
  });

  test('says of a fault that nothing shows, and of a budget that nothing measured, what they are', async () => {
    const report = await story();
    const faults = report.faults.map((fault) => ({ ...fault, evidence: null, recoveryMs: null }));
    const budgets = [{ name: 'p99', limitMs: 5, actualMs: null, kept: false }];
    const text = shown(drillLines({ ...report, faults, budgets }));
    expect(text).toMatch(/^kill .* - +nothing shows that it took effect$/m);
    expect(text).toMatch(/^p99 +unknown +nothing measured; the budget is 5ms$/m);
  });
});

describe('the progress of a drill', () => {
  const requests = { sent: 0, answered: 0, failed: 0, underWay: 0 };
  const progress = {
    ...{ phase: 'breaking' as const, doing: 'kill on n2', elapsedMs: 6_240 },
    load: {
      ...{ sent: 900, acknowledged: 890, failed: 2, unknown: 0, skipped: 0, underWay: 8 },
      ...{ deliveries: 0, awareness: 0, opsPerSecond: 150, p99Ms: 12, requests },
    } as NonNullable<DrillProgress['load']>,
    faults: [{ fault: 'kill', target: 'n2' }],
    violations: [{ law: 'acked-is-kept', count: 2 }],
  } satisfies DrillProgress;

  test('is a block of what is done, the load, the faults and the violations so far', () => {
    const text = shown(progressBlock(progress));
    expect(text.split('\n')).toEqual([
      'breaking  kill on n2  6.2s',
      '  150 ops/s, 890 acknowledged, 8 under way, 2 failed, 0 unknown',
      '  kill on n2',
      '  2 violations so far: acked-is-kept',
    ]);
  });

  test('is one line in a log, also before there is a load', () => {
    const early = { ...progress, load: null, faults: [], violations: [] };
    expect(shown([progressLine(early)])).toBe('6s  breaking: kill on n2; no violation so far');
  });
});
