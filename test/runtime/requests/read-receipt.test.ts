import { expect, test } from 'vitest';
import { readReceipt } from '../../../src/runtime/requests/read-receipt.ts';
import { bytes } from '../../support/some-ops.ts';

const read = (payload: string) => {
  return readReceipt('doc', 'p:1', { nodeId: 'a', hops: 2, payload: bytes(payload) });
};

test('a receipt says where the op is and who put it there', () => {
  expect(read('{"seq":7,"epoch":3,"duplicate":true}')).toEqual({
    doc: 'doc',
    opId: 'p:1',
    seq: 7,
    epoch: 3,
    nodeId: 'a',
    hops: 2,
    duplicate: true,
  });
});

test.each([
  '',
  'null',
  '[]',
  '"seq"',
  '{"seq":7}',
  '{"seq":"7","epoch":1}',
  '{"seq":0,"epoch":1}',
  '{',
])('an answer that is no receipt (%s) is an error that leaves open whether the op was applied', (payload) => {
  expect(() => read(payload)).toThrow(
    expect.objectContaining({ code: 'FRAME_INVALID', certainty: 'indefinite' }),
  );
});
