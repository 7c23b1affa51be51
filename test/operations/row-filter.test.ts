import { describe, expect, test } from 'vitest';
import { matchesGlob } from '../../src/foundation/glob.ts';
import { parseRowFilter } from '../../src/operations/inspect/row-filter.ts';
import { parseRowOrder } from '../../src/operations/inspect/row-order.ts';

const row = { nodeId: 'node-a', documents: 12, address: null, payload: { title: 'hello' } };

describe('a filter', () => {
  test.each([
    'nodeId=node-a',
    'nodeId!=node-b',
    'nodeId~node-*',
    'nodeId!~*b',
    'documents>9',
    'documents>=12',
    'documents<100',
    'address=null',
    'payload.title=hello',
    'documents>9 && nodeId=node-a',
    'nodeId>node',
  ])('accepts a row by %s', (text) => {
    expect(parseRowFilter(text)(row)).toBe(true);
  });

  test.each([
    'nodeId=node',
    'documents<9',
    'address>0',
    'nodeId>5',
    'payload.title.length=5',
    'constructor.name=Object',
    'documents>9 && nodeId=node-b',
  ])('rejects a row by %s', (text) => {
    expect(parseRowFilter(text)(row)).toBe(false);
  });

  test('fails with USAGE on what is no condition, and on a column that is not there', () => {
    const usage = expect.objectContaining({ code: 'USAGE' });
    expect(() => parseRowFilter('nodeId')).toThrow(usage);
    expect(() => parseRowFilter('node=a', ['nodeId'])).toThrow(usage);
  });
});

describe('an order', () => {
  const rows = [{ n: 10 }, { n: 9 }, { n: null }, { n: 100 }];

  test('compares numbers by size, either way, and leaves the absent last', () => {
    const sorted = (text: string) => rows.toSorted(parseRowOrder(text, ['n'])).map(({ n }) => n);
    expect(sorted('n')).toEqual([9, 10, 100, null]);
    expect(sorted('-n')).toEqual([100, 10, 9, null]);
  });

  test('goes to the next column where the first does not decide', () => {
    const pairs = [
      { a: 'x', b: 1 },
      { a: 'x', b: 2 },
      { a: 'w', b: 0 },
    ];
    const order = parseRowOrder('a,-b', ['a', 'b']);
    expect(pairs.toSorted(order).map(({ b }) => b)).toEqual([0, 2, 1]);
  });

  test('fails with USAGE on an unknown column', () => {
    expect(() => parseRowOrder('c', ['a'])).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});

describe('a glob', () => {
  test.each([
    ['*', '', true],
    ['doc-*-x', 'doc-1-x-x', true],
    ['doc-?', 'doc-', false],
    ['[ab]', 'a', false],
    ['a*b*c', 'aXbYbZc', true],
    ['a*b*c', 'aXbYbZ', false],
  ])('%s against "%s" is %s', (pattern, name, expected) => {
    expect(matchesGlob(pattern, name)).toBe(expected);
  });

  test('answers at once for a pattern made to be slow', () => {
    expect(matchesGlob(`${'*a'.repeat(50)}b`, 'a'.repeat(500))).toBe(false);
  });
});
