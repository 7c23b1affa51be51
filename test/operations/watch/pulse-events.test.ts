import { describe, expect, test } from 'vitest';
import { troubleCounters } from '../../../src/operations/watch/node-meter.ts';
import { pulseEvents, troubleWords } from '../../../src/operations/watch/pulse-events.ts';
import { someNode, someReport } from '../../tui/support/some-pictures.ts';

const texts = (before: Parameters<typeof someNode>[1][], now: Parameters<typeof someNode>[1][]) => {
  const report = (nodes: Parameters<typeof someNode>[1][]) =>
    someReport({ nodes: nodes.map((told, at) => someNode(told?.nodeId ?? `web-${at}`, told)) });
  return pulseEvents(report(before), report(now)).map(({ severity, text }) => [severity, text]);
};

describe('the events between two looks', () => {
  test('are none at the first look, and none when nothing changed', () => {
    expect(pulseEvents(null, someReport())).toEqual([]);
    expect(texts([{}, {}], [{}, {}])).toEqual([]);
  });

  test('tell who came, left, and came back under a new session', () => {
    expect(texts([{}], [{}, { nodeId: 'new' }])).toEqual([['info', 'new has joined']]);
    expect(texts([{}, { nodeId: 'old' }], [{}])).toEqual([['info', 'old has left']]);
    expect(texts([{}], [{}, { nodeId: 'web-0', session: 'second' }])).toEqual([
      ['info', 'web-0 opened a new session'],
    ]);
  });

  test('tell each change of state, as bad as it is', () => {
    const to = (told: Parameters<typeof someNode>[1]) => texts([{}], [told]);
    expect(to({ state: 'silent' })).toEqual([['warning', 'web-0 missed two heartbeats']]);
    expect(to({ state: 'deaf' })[0]?.[0]).toBe('warning');
    expect(to({ state: 'draining' })[0]?.[0]).toBe('info');
    expect(to({ state: 'dead', cause: 'expired' })).toEqual([
      ['bad', 'web-0 is dead: its session expired'],
    ]);
    expect(texts([{ state: 'silent' }], [{}])).toEqual([['info', 'web-0 is live again']]);
  });

  test('tell of two processes with one name, and of nodes that fall silent', () => {
    expect(texts([{}], [{ duplicate: true }])).toEqual([
      ['bad', 'two live processes call themselves web-0'],
    ]);
    expect(texts([{}], [{ answered: false }])).toEqual([['warning', 'web-0 does not answer']]);
    expect(texts([{ answered: false }], [{}])).toEqual([['info', 'web-0 answers again']]);
  });

  test('have words for every trouble that is counted', () => {
    expect(Object.keys(troubleWords).sort()).toEqual([...troubleCounters].sort());
    expect(texts([{}], [{ troubles: { sessions_lost_total: 1 } }])).toEqual([
      ['bad', 'web-0 lost its session (1)'],
    ]);
  });
});
