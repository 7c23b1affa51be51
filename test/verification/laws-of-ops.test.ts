import { describe, expect, test } from 'vitest';
import { happened } from '../support/history-text.ts';
import { outcomeOf, rejected, verdictOf } from './support/law-verdicts.ts';

const { invoke, ok, refused, unknown, deliver, subscribe, append, logged, head } = happened;

describe('acked-is-kept', () => {
  const law = 'acked-is-kept';
  const acked = [invoke('p:1'), ok('p:1', 1), invoke('p:2'), ok('p:2', 2)];

  test('accepts acknowledged ops that are in the log', async () => {
    const history = [...acked, logged(1, 'p:1'), logged(2, 'p:2'), head(2)];
    expect(await verdictOf(law, history)).toMatchObject({ outcome: 'holds', checked: 2 });
  });

  test('rejects an acknowledged op that the log lost', async () => {
    expect(await rejected(law, [...acked, logged(1, 'p:1'), head(1)])).toEqual([5, 7]);
  });

  test('rejects an acknowledged op in whose place another stands', async () => {
    const history = [...acked, logged(1, 'p:1'), logged(2, 'q:1'), head(2)];
    expect(await rejected(law, history)).toEqual([5, 7]);
  });

  test('rejects two ops that were acknowledged with one seq', async () => {
    expect(await rejected(law, [ok('p:1', 1), ok('q:1', 1), logged(1, 'p:1'), head(1)])).toEqual([
      2, 3,
    ]);
  });

  test('asks nothing of ops of unknown outcome', async () => {
    const tried = [...acked, invoke('p:3'), unknown('p:3'), invoke('p:4'), unknown('p:4')];
    const log = [logged(1, 'p:1'), logged(2, 'p:2'), logged(3, 'p:4'), head(3)];
    expect(await outcomeOf(law, [...tried, ...log])).toBe('holds');
  });

  test('does not know without the log, without acknowledgements, or before what is left of it', async () => {
    expect(await outcomeOf(law, acked)).toBe('unknown');
    expect(await outcomeOf(law, [...acked, head(2)])).toBe('unknown');
    expect(await outcomeOf(law, [logged(1, 'p:1'), head(1)])).toBe('unknown');
    expect(await outcomeOf(law, [...acked, logged(2, 'p:2'), head(2, { from: 2 })])).toBe(
      'unknown',
    );
  });
});

describe('applied-once', () => {
  const law = 'applied-once';

  test('accepts ops that everybody sees at one seq', async () => {
    const history = [
      ...[invoke('p:1'), ok('p:1', 1), append('s', 1, 1, ['p:1', 'p:2'])],
      ...[deliver('a', 1, 'p:1'), deliver('b', 1, 'p:1'), deliver('a', 2, 'p:2')],
      ...[logged(1, 'p:1'), logged(2, 'p:2')],
    ];
    expect(await outcomeOf(law, history)).toBe('holds');
  });

  test('rejects an op that is in the log twice', async () => {
    expect(await rejected(law, [logged(1, 'p:1'), logged(2, 'p:1')])).toEqual([2, 3]);
  });

  test('rejects an op that was delivered twice', async () => {
    const history = [deliver('a', 1, 'p:1'), deliver('a', 2, 'p:2'), deliver('a', 1, 'p:1')];
    expect(await rejected(law, history)).toEqual([3, 4]);
  });

  test('rejects a retry that was acknowledged with another seq', async () => {
    expect(await rejected(law, [append('s', 1, 1, ['q:1', 'p:1']), ok('p:1', 3)])).toEqual([2, 3]);
  });

  test('rejects an op in the log that was refused for certain', async () => {
    expect(await rejected(law, [invoke('p:1'), refused('p:1'), logged(1, 'p:1')])).toEqual([3, 4]);
    expect(await rejected(law, [invoke('p:1'), deliver('a', 1, 'p:1'), refused('p:1')])).toEqual([
      3, 4,
    ]);
  });

  test('rejects a request that was run twice', async () => {
    const run = { ev: 'request.run', id: 'r' };
    expect(await rejected(law, [run, run])).toEqual([2, 3]);
  });

  test('accepts that an op of unknown outcome is there, and one refused at a second attempt', async () => {
    const history = [
      ...[invoke('p:1'), unknown('p:1'), logged(1, 'p:1')],
      ...[invoke('p:2'), unknown('p:2'), invoke('p:2'), refused('p:2'), logged(2, 'p:2')],
    ];
    expect(await outcomeOf(law, history)).toBe('holds');
  });

  test('does not know when no op was seen', async () => {
    expect(await outcomeOf(law, [invoke('p:1'), refused('p:1')])).toBe('unknown');
    expect(await outcomeOf(law, [invoke('p:1'), ok('p:1', 1)])).toBe('unknown');
  });
});

describe('seq-without-gap', () => {
  const law = 'seq-without-gap';
  const log = [logged(1, 'p:1'), logged(2, 'p:2'), logged(3, 'p:3'), head(3)];

  test('accepts subscribers that hear everything from where they began', async () => {
    const history = [
      ...[subscribe('a'), deliver('a', 1, 'p:1'), deliver('a', 2, 'p:2'), deliver('a', 3, 'p:3')],
      ...[subscribe('b', 2), deliver('b', 3, 'p:3')],
      ...[deliver('gone', 1, 'p:1'), { ev: 'unsubscribe', doc: 'd', subscriber: 'gone' }],
    ];
    expect(await outcomeOf(law, [...history, ...log])).toBe('holds');
  });

  test('rejects a gap in what a subscriber hears', async () => {
    const history = [deliver('a', 1, 'p:1'), deliver('a', 3, 'p:3'), ...log];
    expect(await rejected(law, history)).toEqual([2, 3]);
  });

  test('rejects a subscriber that misses the last op, or all of them', async () => {
    expect(await rejected(law, [deliver('a', 1, 'p:1'), deliver('a', 2, 'p:2'), ...log])).toEqual([
      3, 7,
    ]);
    expect(await rejected(law, [subscribe('a'), ...log])).toEqual([2, 6]);
  });

  test('rejects a hole in the log, and an append behind a hole or over what is there', async () => {
    expect(await rejected(law, [logged(1, 'p:1'), logged(3, 'p:3'), head(3)])).toEqual([2, 3]);
    expect(await rejected(law, [logged(2, 'p:2'), head(2)])).toEqual([2, 3]);
    expect(await outcomeOf(law, [logged(2, 'p:2'), head(2, { from: 2 })])).toBe('holds');
    const first = append('s', 1, 1, ['p:1', 'p:2']);
    expect(await rejected(law, [first, append('s', 1, 4, ['p:3'])])).toEqual([2, 3]);
    expect(await rejected(law, [first, append('s', 1, 2, ['p:3'])])).toEqual([2, 3]);
  });

  test('accepts a hole that an append of unknown outcome may fill', async () => {
    const history = [
      append('s', 1, 1, ['p:1']),
      append('s', 1, 2, ['p:2'], 'unknown'),
      append('s', 1, 3, ['p:3']),
    ];
    expect(await outcomeOf(law, history)).toBe('holds');
  });

  test('accepts appends that nobody saw, and rejects one over what is there', async () => {
    const history = [append('s', 1, 1, ['p:1']), happened.unseen];
    expect(await outcomeOf(law, [...history, append('t', 2, 4, ['p:4'])])).toBe('holds');
    expect(await rejected(law, [...history, append('t', 2, 1, ['p:4'])])).toEqual([2, 4]);
    const later = [...history, append('t', 2, 4, ['p:4']), append('t', 2, 6, ['p:6'])];
    expect(await rejected(law, later)).toEqual([4, 5]);
  });

  test('does not know of the last op when the end of the log was not read', async () => {
    expect(await outcomeOf(law, [deliver('a', 1, 'p:1')])).toBe('unknown');
    expect(await outcomeOf(law, [ok('p:1', 1)])).toBe('unknown');
  });
});

describe('one-order', () => {
  const law = 'one-order';

  test('accepts subscribers that see the same', async () => {
    const history = [deliver('a', 1, 'p:1'), deliver('b', 1, 'p:1'), logged(1, 'p:1')];
    expect(await verdictOf(law, history)).toMatchObject({ outcome: 'holds', checked: 2 });
  });

  test('rejects two subscribers that see two orders', async () => {
    const history = [
      ...[deliver('a', 1, 'p:1'), deliver('a', 2, 'q:1')],
      ...[deliver('b', 1, 'q:1'), deliver('b', 2, 'p:1')],
    ];
    expect(await rejected(law, history)).toEqual([2, 4]);
  });

  test('rejects a subscriber that saw what the log does not have', async () => {
    expect(await rejected(law, [deliver('a', 1, 'p:1'), logged(1, 'q:1')])).toEqual([2, 3]);
  });

  test('accepts that an op of unknown outcome was delivered', async () => {
    const history = [invoke('p:1'), unknown('p:1'), deliver('a', 1, 'p:1'), logged(1, 'p:1')];
    expect(await outcomeOf(law, history)).toBe('holds');
  });

  test('does not know what only one has seen', async () => {
    expect(await outcomeOf(law, [deliver('a', 1, 'p:1'), deliver('a', 2, 'p:2')])).toBe('unknown');
  });
});
