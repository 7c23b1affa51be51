import { describe, expect, test } from 'vitest';
import { benchWorks } from '../../../src/cli/commands/bench.ts';
import {
  failedAssertions,
  parseBenchAssertions,
} from '../../../src/verification/bench/bench-assertion.ts';
import { type BenchReport, benchReport } from '../../../src/verification/bench/bench-report.ts';
import { BenchTally } from '../../../src/verification/bench/bench-tally.ts';
import { knownWorks } from '../../../src/verification/bench/known-works.ts';

/** A thousand in a second, of 1 to 10 ms, and five failures. */
function report(done = 1_000): BenchReport {
  const tally = new BenchTally();
  tally.measure(0, 1_000);
  for (let at = 0; at < done; at++) tally.succeeded(0, 1 + (at % 10));
  for (let at = 0; at < 5; at++) tally.failedWith(0, new Error('broken'));
  const cpu = { nodesMs: 0, brokerMs: null, selfMs: 0 };
  return benchReport({
    ...{ work: 'ops', unit: 'ops', server: 'a test', nodes: 3, documents: 1, payloadBytes: 64 },
    load: { shape: { kind: 'closed', concurrency: 1 }, warmUpMs: 1_000, durationMs: 1_000 },
    ...{ tally, ranMs: 2_000, cpuBefore: cpu, extras: {} },
    cpuAfter: { ...cpu, nodesMs: 100 },
  });
}

const failed = (text: string, of = report()) => failedAssertions(of, parseBenchAssertions(text));

describe('an assertion', () => {
  test.each([
    'p99<11ms,rate>999',
    'failed<6',
    'p50<6ms',
    'max>9ms',
    'done>999',
  ])('holds: %s', (text) => {
    expect(failed(text)).toEqual([]);
  });

  test('that does not hold is told with what it is', () => {
    expect(failed('p99<5ms,rate>20000,failed<1')).toEqual([
      'p99<5ms: it is 10ms',
      'rate>20000: it is 1000',
      'failed<1: it is 5',
    ]);
  });

  test('never holds when nothing was done', () => {
    expect(failed('p99<5ms,failed<10', report(0))).toHaveLength(2);
  });

  test.each([
    '',
    'p99',
    'p99=5ms',
    'p98<5ms',
    'p99<5',
    'rate>many',
    'rate>',
    'constructor<1',
  ])('is refused: %j', (text) => {
    expect(() => parseBenchAssertions(text)).toThrow();
  });
});

test('CPU is told for each that was done, the warm-up included', () => {
  expect(report().cpu).toEqual({ nodesUs: 50, brokerUs: null, selfUs: 0 });
});

test('the help names every work there is, and takeover', () => {
  expect([...benchWorks].sort()).toEqual([...Object.keys(knownWorks), 'takeover'].sort());
});
