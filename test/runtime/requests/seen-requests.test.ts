import { expect, test } from 'vitest';
import { limits } from '../../../src/foundation/limits.ts';
import type { ReplyFrame } from '../../../src/runtime/frames.ts';
import { SeenRequests } from '../../../src/runtime/requests/seen-requests.ts';

function replyOf(id: string, bytes = 0): ReplyFrame {
  const payload = new Uint8Array(bytes);
  return { kind: 'reply', id, nodeId: 'n', hops: 0, error: null, payload };
}

test('a request is new, then running, then answered the same again', () => {
  const seen = new SeenRequests();
  expect(seen.find('a', false, 0)).toBe('new');
  seen.began('a', 0, 1_000);
  expect(seen.find('a', true, 0)).toBe('running');
  const reply = replyOf('a');
  seen.answered('a', reply);
  expect(seen.find('a', true, 0)).toBe(reply);
});

test('an answer that is not kept any more is lost, and the request never new', () => {
  const seen = new SeenRequests();
  for (let n = 0; n < 40; n++) {
    seen.began(`${n}`, 0, 1_000);
    seen.answered(`${n}`, replyOf(`${n}`, 1_000_000));
  }
  expect(seen.find('0', true, 0)).toBe('lost');
  expect(seen.find('39', true, 0)).toMatchObject({ id: '39' });
});

test('one that had to be forgotten before its deadline is not run when it comes again', () => {
  const seen = new SeenRequests();
  for (let n = 0; n <= limits.requestsPendingMax; n++) seen.began(`${n}`, 0, 1_000);
  expect(seen.find('0', true, 500)).toBe('lost');
  // One that comes for the first time may.
  expect(seen.find('new', false, 500)).toBe('new');
  expect(seen.find('0', true, 1_001)).toBe('new');
});
