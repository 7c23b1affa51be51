import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { parsePlainJson } from '../../src/foundation/plain-json.ts';
import { jsonEngine } from '../../src/runtime/documents/document-engine.ts';
import { MemoryCluster } from '../support/memory-cluster.ts';
import { projectRoot, sourceFiles } from '../support/source-files.ts';

const poison = [
  '{"__proto__":{"polluted":true}}',
  '{"a":{"__proto__":{"polluted":true}}}',
  '[[{"constructor":{"prototype":{"polluted":true}}}]]',
  '{"prototype":1}',
  '{"\\u005f_proto__":{"polluted":true}}',
];
const bytes = (text: string) => Buffer.from(text);

afterEach(() => {
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  expect(Object.keys(Object.prototype)).toEqual([]);
});

describe('JSON from the network', () => {
  test.each(poison)('S8: %s is refused, wherever the key is', (text) => {
    expect(() => parsePlainJson(text)).toThrow(
      expect.objectContaining({ code: 'REQUEST_INVALID' }),
    );
    expect(() => jsonEngine.check(bytes(text))).toThrow(
      expect.objectContaining({ code: 'PAYLOAD_INVALID' }),
    );
  });

  test('S8: a document folds whatever its log holds without touching any prototype', () => {
    const state = jsonEngine.fold(null, [...poison, '{"a":{"b":1}}', '{"a":{"c":2}}'].map(bytes));
    expect(JSON.parse(state ?? '')).toMatchObject({ a: { b: 1, c: 2 } });
    fc.assert(
      fc.property(fc.array(fc.json({ noUnicodeString: false })), (patches) => {
        const folded = jsonEngine.fold(null, patches.map(bytes));
        return typeof folded === 'string';
      }),
    );
  });

  test('S8: parameters with keys that nobody asked for are refused, not carried along', async () => {
    const cluster = await MemoryCluster.start(['a']);
    const session = cluster.node('a').runtime.session() ?? '';
    const visitor = await cluster.visitor(false);
    for (const [name, params] of [
      ['lease.acquire', { doc: 'd', force: true }],
      ['node.drain', { now: true }],
      ['doc.describe', JSON.parse('{"doc":"d","__proto__":{"admin":true}}')],
      ['lease.acquire', ['d']],
    ] as const) {
      const failure = await cluster.failure(visitor.control(session, name, params));
      expect(failure.code).toBe('REQUEST_INVALID');
    }
    expect(cluster.node('a').runtime.ownedEpoch('d')).toBeNull();
  });
});

describe('the program', () => {
  test('S8: runs without a way to the prototype of all objects', () => {
    const bin = pathToFileURL(join(projectRoot, 'bin/backplane.js')).href;
    const script = `
      process.argv.splice(1, 0, 'backplane');
      process.on('exit', () => console.error('__proto__' in {}));
      await import(${JSON.stringify(bin)});`;
    const args = ['--input-type=module', '-e', script, 'version'];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: 'false\n' });
  });

  test('S8: merges no objects of others by a loop over their keys', () => {
    const assigning = /\b(\w+)\[(\w*[kK]ey\w*)\]\s*=[^=]/g;
    const found = sourceFiles('src', '.ts').flatMap(({ path, bare }) =>
      [...bare.matchAll(assigning)].map(([text]) => `${path}: ${text}`),
    );
    expect(found).toEqual([]);
  });
});
