import { describe, expect, test } from 'vitest';
import { happened } from '../support/history-text.ts';
import { outcomeOf, rejected, verdictOf } from './support/law-verdicts.ts';

const { deliver, fence, append, unseen, logged } = happened;
const grant = (session: string, epoch: number) => ({ ev: 'lease.grant', doc: 'd', session, epoch });
const serve = (session: string, epoch: number) => ({ ev: 'serve', doc: 'd', session, epoch });

describe('epochs-grow', () => {
  const law = 'epochs-grow';

  test('accepts epochs that grow with every fence', async () => {
    const history = [
      ...[fence('s', 1), fence('t', 2), fence('s', 5), grant('s', 1), grant('s', 5)],
      ...[deliver('a', 1, 'p:1', { epoch: 1 }), deliver('a', 2, 'p:2', { epoch: 5 })],
      ...[logged(1, 'p:1', 1), logged(2, 'p:2', 5), logged(3, 'p:3', 5)],
    ];
    expect(await verdictOf(law, history)).toMatchObject({ outcome: 'holds', checked: 6 });
  });

  test('rejects a fence with an epoch that was there before, or a smaller one', async () => {
    expect(await rejected(law, [fence('s', 2), fence('t', 2)])).toEqual([2, 3]);
    expect(await rejected(law, [fence('s', 2), fence('t', 1)])).toEqual([2, 3]);
  });

  test('rejects a log or a subscription in which the epoch falls', async () => {
    expect(await rejected(law, [logged(1, 'p:1', 2), logged(2, 'p:2', 1)])).toEqual([2, 3]);
    const heard = [deliver('a', 1, 'p:1', { epoch: 2 }), deliver('a', 2, 'p:2', { epoch: 1 })];
    expect(await rejected(law, heard)).toEqual([2, 3]);
  });

  test('rejects a session that is granted a smaller epoch than it had', async () => {
    expect(await rejected(law, [grant('s', 3), grant('s', 2)])).toEqual([2, 3]);
  });

  test('rejects an epoch that was there before a time that nobody saw', async () => {
    expect(await rejected(law, [fence('s', 2), unseen, fence('t', 2)])).toEqual([2, 4]);
    expect(await outcomeOf(law, [fence('s', 2), unseen, fence('t', 4)])).toBe('holds');
  });

  test('counts no fence of unknown outcome, and none that lost', async () => {
    const history = [fence('s', 3, 'unknown'), fence('t', 2), fence('u', 9, 'conflict')];
    expect(await outcomeOf(law, [...history, fence('s', 3)])).toBe('holds');
    expect(await outcomeOf(law, history)).toBe('unknown');
  });
});

describe('no-write-below-epoch', () => {
  const law = 'no-write-below-epoch';
  const takeover = [fence('s', 1), append('s', 1, 1, ['p:1']), fence('t', 2)];

  test('accepts writes of the session that was fenced for last, and refusals of the others', async () => {
    const history = [...takeover, append('s', 1, 2, ['p:2'], 'fenced'), append('t', 2, 2, ['p:2'])];
    expect(await verdictOf(law, history)).toMatchObject({ outcome: 'holds', checked: 2 });
  });

  test('rejects a write that was accepted from an owner of the past', async () => {
    expect(await rejected(law, [...takeover, append('s', 1, 2, ['p:2'])])).toEqual([4, 5]);
  });

  test('rejects a write of another session under the epoch that was granted', async () => {
    expect(await rejected(law, [...takeover, append('s', 2, 2, ['p:2'])])).toEqual([4, 5]);
  });

  test('rejects a write below one that was accepted, though no fence was recorded', async () => {
    const history = [append('t', 2, 1, ['p:1']), append('s', 1, 2, ['p:2'])];
    expect(await rejected(law, history)).toEqual([2, 3]);
  });

  test('accepts what a fence of unknown outcome may explain, either way', async () => {
    const inDoubt = [fence('s', 1), fence('t', 2, 'unknown')];
    expect(await outcomeOf(law, [...inDoubt, append('s', 1, 1, ['p:1'])])).toBe('holds');
    expect(await outcomeOf(law, [...inDoubt, append('t', 2, 1, ['p:1'])])).toBe('holds');
    const unknown = append('s', 1, 2, ['p:2'], 'unknown');
    expect(await outcomeOf(law, [...takeover, unknown])).toBe('holds');
  });

  test('rejects a write after a fence of unknown outcome that has proved to be one', async () => {
    const proved = [fence('s', 1), fence('t', 2, 'unknown'), append('t', 2, 1, ['p:1'])];
    expect(await rejected(law, [...proved, append('s', 1, 2, ['p:2'])])).toEqual([3, 5]);
  });

  test('accepts an owner whose fence nobody saw', async () => {
    const history = [...takeover, unseen, append('u', 3, 2, ['p:2']), append('u', 3, 3, ['p:3'])];
    expect(await outcomeOf(law, history)).toBe('holds');
    expect(await outcomeOf(law, [...takeover, unseen, append('t', 2, 2, ['p:2'])])).toBe('holds');
  });

  test('rejects a write below what was seen before a time that nobody saw', async () => {
    const late = append('s', 1, 2, ['p:2']);
    expect(await rejected(law, [...takeover, unseen, late])).toEqual([4, 6]);
    const written = [...takeover, append('t', 2, 2, ['p:2']), unseen, append('u', 3, 3, ['p:3'])];
    expect(await rejected(law, [...written, late])).toEqual([7, 8]);
  });

  test('rejects a write of an owner that was seen fenced off after a time that nobody saw', async () => {
    const history = [...takeover, unseen, fence('u', 3), append('t', 2, 2, ['p:2'])];
    expect(await rejected(law, history)).toEqual([6, 7]);
  });

  test('does not know what nobody recorded at the store', async () => {
    expect(await outcomeOf(law, [grant('s', 1), grant('t', 2)])).toBe('unknown');
  });
});

describe('one-owner-per-epoch', () => {
  const law = 'one-owner-per-epoch';

  test('accepts one session an epoch', async () => {
    const history = [
      ...[fence('s', 1), grant('s', 1), serve('s', 1), append('s', 1, 1, ['p:1'])],
      ...[fence('t', 2), grant('t', 2), serve('s', 1), serve('t', 2)],
    ];
    expect(await outcomeOf(law, history)).toBe('holds');
  });

  test('rejects two sessions that serve in one epoch', async () => {
    expect(await rejected(law, [serve('s', 1), serve('t', 1)])).toEqual([2, 3]);
  });

  test('rejects a session that is granted the epoch another was fenced for', async () => {
    expect(await rejected(law, [fence('s', 1), grant('t', 1)])).toEqual([2, 3]);
  });

  test('makes nobody an owner for a fence of unknown outcome', async () => {
    expect(await outcomeOf(law, [fence('s', 1, 'unknown'), fence('t', 1), serve('t', 1)])).toBe(
      'holds',
    );
    expect(await outcomeOf(law, [fence('s', 1, 'unknown')])).toBe('unknown');
  });
});

describe('no-answer-below-epoch', () => {
  const law = 'no-answer-below-epoch';
  const budgets = { staleMs: 1_000 };
  const send = (id: string, t: number) => ({ ev: 'request.send', id, timeoutMs: 5_000, t });
  const answer = (request: string, t: number, epoch: number, session = 's') => ({
    ...{ ev: 'serve', doc: 'd', session, epoch, request, t },
  });
  const replaced = [
    { ...fence('s', 1), t: 0 },
    { ...fence('t', 2), t: 100 },
  ];

  test('accepts answers of the owner, and of one that can not know yet', async () => {
    const history = [
      ...[...replaced, send('a', 1_100), answer('a', 1_101, 1), send('b', 1_200)],
      answer('b', 1_201, 2, 't'),
    ];
    expect(await verdictOf(law, history, budgets)).toMatchObject({ outcome: 'holds', checked: 2 });
  });

  test('rejects an answer of an owner that was replaced longer ago than a lease', async () => {
    const late = [...replaced, send('a', 1_101), answer('a', 1_102, 1)];
    expect(await rejected(law, late, budgets)).toEqual([3, 4, 5]);
    const granted = [replaced[0]!, { ...grant('t', 2), t: 100 }, ...late.slice(2)];
    expect(await rejected(law, granted, budgets)).toEqual([3, 4, 5]);
    const twice = [...replaced, { ...fence('u', 3), t: 900 }, ...late.slice(2)];
    expect(await rejected(law, twice, budgets)).toEqual([3, 5, 6]);
  });

  test('counts from when it was asked: an answer may be under way for long', async () => {
    const history = [...replaced, send('a', 1_100), answer('a', 9_000, 1)];
    expect(await outcomeOf(law, history, budgets)).toBe('holds');
  });

  test('asks nothing of answers of which nobody knows what they are an answer to', async () => {
    const lost = [send('a', 2_000), { ev: 'request.end', id: 'a', outcome: 'unknown', t: 2_001 }];
    const history = [...replaced, ...lost, answer('a', 2_002, 1), { ...serve('s', 1), t: 3_000 }];
    expect(await outcomeOf(law, history, budgets)).toBe('unknown');
    expect(await outcomeOf(law, [send('a', 0), answer('a', 1, 1)], budgets)).toBe('unknown');
    expect(await outcomeOf(law, [{ ...fence('s', 2, 'unknown'), t: 0 }], budgets)).toBe('unknown');
  });

  const release = (t: number) => ({ ev: 'lease.release', doc: 'd', session: 's', epoch: 1, t });

  test('rejects an answer of an owner that was asked after it had given the document up', async () => {
    const owned = { ...fence('s', 1), t: 0 };
    const asked = [owned, release(10), send('a', 11), answer('a', 12, 1)];
    expect(await rejected(law, asked, budgets)).toEqual([3, 4, 5]);
  });

  test('accepts what it was asked before, and what it answers when it owns it again', async () => {
    const owned = { ...fence('s', 1), t: 0 };
    const before = [owned, send('a', 9), release(10), answer('a', 12, 1)];
    expect(await outcomeOf(law, before, budgets)).toBe('holds');
    const again = [owned, release(10), { ...fence('s', 2), t: 11 }, send('a', 12)];
    expect(await outcomeOf(law, [...again, answer('a', 13, 2)], budgets)).toBe('holds');
  });
});

describe('living-are-kept', () => {
  const law = 'living-are-kept';
  const beat = (beat: number) => ({ ev: 'session.beat', session: 's', beat });
  const gone = (seenBeat?: number, more = {}) => ({
    ...{ ev: 'session.gone', session: 's', seenBeat },
    ...more,
  });

  test('accepts the end of a session whose last beat was known, and of one that ran out', async () => {
    expect(await verdictOf(law, [beat(1), beat(2), gone(2)])).toMatchObject({ checked: 1 });
    expect(await outcomeOf(law, [gone(0)])).toBe('holds');
    expect(await outcomeOf(law, [beat(7), gone()])).toBe('unknown');
    expect(await outcomeOf(law, [beat(7)])).toBe('unknown');
  });

  test('rejects the end of a session that had just shown a sign of life', async () => {
    expect(await rejected(law, [beat(1), beat(2), gone(1)])).toEqual([3, 4]);
    expect(await rejected(law, [beat(1), gone(0)])).toEqual([2, 3]);
  });

  const open = { ev: 'session.open', session: 's', nodeId: 'n' };
  const take = (takenFrom: string | null, session = 't') => ({
    ...{ ev: 'registration.add', id: 'lease:d', session, takenFrom },
  });

  test('rejects that somebody takes what a living session holds', async () => {
    expect(await rejected(law, [open, beat(1), take('s')])).toEqual([2, 4]);
  });

  test('accepts what is taken from the dead, from nobody, or by the session itself', async () => {
    const history = [open, take(null), take('s', 's'), beat(1), gone(1), take('s')];
    expect(await outcomeOf(law, history)).toBe('holds');
  });

  test('asks nothing of a session that was dead before the broker was put back', async () => {
    expect(await outcomeOf(law, [open, beat(1), gone(1), open, take('s')])).toBe('holds');
  });

  test('asks nothing when it may live', async () => {
    const history = [beat(1), gone(0, { certainty: 'indefinite' })];
    expect(await outcomeOf(law, history)).toBe('unknown');
  });
});
