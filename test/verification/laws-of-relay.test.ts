import { describe, expect, test } from 'vitest';
import { outcomeOf, rejected, verdictOf } from './support/law-verdicts.ts';

const frame = (ev: string, number: number, more: object = {}, sender = 'b1') => {
  return { ev, t: number, workspace: 'w', sender, frame: number, ...more };
};
const send = (number: number, more?: object) => frame('relay.send', number, more);
const heard = (number: number, more: object = {}) =>
  frame('relay.deliver', number, { receiver: 'd1', ...more });
const end = (number: number, outcome: string, more: object = {}) =>
  frame('relay.end', number, { outcome, ...more });
const over = (t: number) => ({ t, ev: 'note', text: 'over' });

describe('relay-frames-once', () => {
  const law = 'relay-frames-once';
  const all = { t: 1 };

  test('accepts frames that arrive once, in order, and honest news of the others', async () => {
    const history = [
      ...[send(1, all), heard(1, all), end(1, 'taken', all)],
      // One that may have arrived has, one that may have has not, one that never was is not there.
      ...[send(2, all), send(3, all), send(4, all), end(2, 'lost', all), heard(2, all)],
      ...[end(3, 'lost', all), end(4, 'unsent', all)],
      ...[send(5, all), heard(5, { ...all, receiver: 'd2' }), end(5, 'taken', all)],
    ];
    expect(await verdictOf(law, history)).toMatchObject({ outcome: 'holds', checked: 3 });
  });

  test('rejects a frame that arrives twice, be it at two daemons', async () => {
    const sent = [send(1, all), heard(1, all)];
    expect(await rejected(law, [...sent, heard(1, all)])).toEqual([3, 4]);
    expect(await rejected(law, [...sent, heard(1, { ...all, receiver: 'd2' })])).toEqual([3, 4]);
  });

  test('rejects frames out of order, and one nobody sent', async () => {
    const sent = [send(1, all), send(2, all)];
    expect(await rejected(law, [...sent, heard(2, all), heard(1, all)])).toEqual([4, 5]);
    expect(await rejected(law, [heard(7, all)])).toEqual([2]);
  });

  test('rejects untrue news: taken and not there, unsent and there', async () => {
    expect(await rejected(law, [send(1, all), end(1, 'taken', all)])).toEqual([2, 3]);
    const unsent = end(1, 'unsent', all);
    expect(await rejected(law, [send(1, all), heard(1, all), unsent])).toEqual([3, 4]);
    expect(await rejected(law, [send(1, all), unsent, heard(1, all)])).toEqual([3, 4]);
  });

  test('rejects silence, though not before its time', async () => {
    const settleMs = 1_000;
    expect(await rejected(law, [send(1, all), over(1_002)], { settleMs })).toEqual([2]);
    const told = [send(1, all), heard(1, all), end(1, 'taken', all)];
    const late = [...told, send(2, all), over(1_001)];
    expect(await outcomeOf(law, late, { settleMs })).toBe('holds');
  });

  test('does not know without a frame that arrived', async () => {
    expect(await outcomeOf(law, [over(1)])).toBe('unknown');
  });
});

describe('relay-one-way', () => {
  const law = 'relay-one-way';
  const route = (connection: string, way: string, redirectedBefore = false) => {
    return { ev: 'relay.route', t: 1, connection, way, redirectedBefore };
  };

  test('accepts connections that are forwarded, or redirected once', async () => {
    const history = [
      ...[route('c1', 'forwarded'), route('c1', 'forwarded')],
      ...[route('c2', 'redirected'), route('c3', 'forwarded', true)],
    ];
    expect(await verdictOf(law, history)).toMatchObject({ outcome: 'holds', checked: 4 });
  });

  test('rejects a connection that is forwarded and redirected, in whatever order', async () => {
    const [forwarded, redirected] = [route('c1', 'forwarded'), route('c1', 'redirected')];
    expect(await rejected(law, [forwarded, redirected])).toEqual([2, 3]);
    expect(await rejected(law, [redirected, forwarded])).toEqual([2, 3]);
  });

  test('rejects a redirect that leads to a redirect', async () => {
    expect(await rejected(law, [route('c1', 'redirected', true)])).toEqual([2]);
  });

  test('does not know without a connection', async () => {
    expect(await outcomeOf(law, [over(1)])).toBe('unknown');
  });
});
