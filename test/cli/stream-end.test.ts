import { describe, expect, it } from 'vitest';
import { parseUntil, StreamEnd, type StreamEndValues } from '../../src/cli/stream-end.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const line = { type: 'op', seq: 10, nodeId: 'a', payload: { title: 'x' } };

function streamEnd(values: Partial<StreamEndValues>, signal = new AbortController().signal) {
  const clock = new VirtualClock();
  const all = { count: undefined, wait: undefined, until: undefined, ...values };
  return { clock, end: new StreamEnd(all, clock, signal) };
}

describe('--until', () => {
  it.each([
    ['seq>=10', true],
    ['seq>10', false],
    ['type==op', true],
    ['type=op', true],
    ['type==op && nodeId==a', true],
    ['type==op && nodeId==b', false],
    ['payload.title==x', true],
    ['nodeId!=a', false],
    ['nodeId~*', true],
    ['constructor~*Object*', false],
  ])('%s of a line is %s', (expression, expected) => {
    expect(parseUntil(expression)(line)).toBe(expected);
  });

  it.each(['', 'seq', '=1', 'seq>1 &&', 'process.exit()'])('%j is refused', (expression) => {
    expect(() => parseUntil(expression)).toThrow(/is not a condition/);
  });
});

describe('a stream', () => {
  it('ends after so many lines', () => {
    const { end } = streamEnd({ count: 2 });
    expect([end.saw(line), end.saw(line)]).toEqual([false, true]);
    expect(end.signal.aborted).toBe(true);
  });

  it('of no lines has ended before it begins', () => {
    expect(streamEnd({ count: 0 }).end.signal.aborted).toBe(true);
  });

  it('ends at the line that was waited for', () => {
    const { end } = streamEnd({ until: parseUntil('seq>=10') });
    expect(end.saw({ seq: 9 })).toBe(false);
    expect(end.saw({ seq: 10 })).toBe(true);
  });

  it('ends when its time is over, and leaves no timer behind', async () => {
    const { end, clock } = streamEnd({ wait: 1_000 });
    await clock.advance(999);
    expect(end.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(end.signal.aborted).toBe(true);
    const other = streamEnd({ wait: 1_000 });
    other.end.close();
    expect(other.clock.timersWaiting).toBe(0);
  });

  it('ends when the command is interrupted', () => {
    const interrupt = new AbortController();
    const { end } = streamEnd({}, interrupt.signal);
    interrupt.abort();
    expect(end.signal.aborted).toBe(true);
  });
});
