import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkDocumentName, checkNodeId, encodeName } from '../../../src/foundation/identifiers.ts';
import { limits } from '../../../src/foundation/limits.ts';
import { documentChannel, readChannelName } from '../../../src/runtime/channels.ts';
import { trickyNames } from '../../conformance/law-suite.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';
import { op } from '../../support/some-ops.ts';

const anyName = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }),
  fc.string({ unit: fc.constantFrom(...'{}*?[]\\^~%:/. \0\n\r$#@!aA1é文🗎'), minLength: 1 }),
  fc.constantFrom(...trickyNames),
);

describe('an encoded name', () => {
  test('has only letters, digits and _ . ~ - %, and a bounded length', () => {
    fc.assert(
      fc.property(anyName, (name) => {
        expect(encodeName(name)).toMatch(/^[A-Za-z0-9_.~%-]{1,128}$/);
      }),
      { numRuns: 2_000 },
    );
  });

  test('belongs to one name only', () => {
    fc.assert(
      fc.property(anyName, anyName, (one, other) => {
        fc.pre(one.isWellFormed() && other.isWellFormed() && one !== other);
        expect(encodeName(one)).not.toBe(encodeName(other));
      }),
      { numRuns: 2_000 },
    );
  });

  test('keeps the tricky ones apart', () => {
    expect(new Set(trickyNames.map(encodeName)).size).toBe(trickyNames.length);
  });

  test('that is a hash cannot be given as a name', () => {
    const long = encodeName('x'.repeat(400));
    expect(long.startsWith('~')).toBe(true);
    expect(encodeName(long)).not.toBe(long);
  });

  test('is shown to people as the name it was, unless it is a hash', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }), (name) => {
        fc.pre(name.isWellFormed() && !encodeName(name).startsWith('~'));
        expect(readChannelName(documentChannel(name))).toEqual({ kind: 'doc', subject: name });
      }),
    );
  });
});

describe('a document name', () => {
  test.each([
    '',
    '\0',
    'a\nb',
    'a\u001b[2J',
    '\u0085',
    '\u2028',
    '\ud800',
    'x'.repeat(limits.documentNameBytesMax + 1),
    '文'.repeat(171),
  ])('%j is refused as NAME_INVALID', (name) => {
    expect(() => checkDocumentName(name)).toThrow(
      expect.objectContaining({ code: 'NAME_INVALID' }),
    );
  });

  test.each([
    undefined,
    null,
    7,
    {},
    ['doc'],
    { toString: () => 'doc' },
  ])('that is no text (%j) is refused', (name) => {
    expect(() => checkDocumentName(name)).toThrow(
      expect.objectContaining({ code: 'NAME_INVALID' }),
    );
  });

  test('however tricky names a document of its own, on every node', async () => {
    const cluster = await MemoryCluster.start(['a', 'b']);
    for (const [index, name] of trickyNames.entries()) {
      const { runtime } = cluster.nodes[index % 2]!;
      const receipt = await cluster.run(runtime.submit(name, op('p', 1, index)));
      expect([name, receipt.seq]).toEqual([name, 1]);
    }
    for (const [index, name] of trickyNames.entries()) {
      const { runtime } = cluster.nodes[(index + 1) % 2]!;
      expect((await cluster.run(runtime.readState(name))).state).toBe(JSON.stringify({ p: index }));
    }
  });
});

test.each([
  '',
  '-a',
  '.a',
  'a b',
  'a/b',
  'a:b',
  'a{b}',
  'é',
  'a\n',
  '__proto__',
  'x'.repeat(65),
])('a node cannot be called %j', (name) => {
  expect(() => checkNodeId(name)).toThrow(expect.objectContaining({ code: 'NAME_INVALID' }));
});

test.each(['a', 'A1', 'node-a.example_1', 'x'.repeat(64)])('a node can be called %j', (name) => {
  expect(checkNodeId(name)).toBe(name);
});
