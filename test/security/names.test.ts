import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { RedisKeys } from '../../src/drivers/redis/keys.ts';
import { parseEngineUrl } from '../../src/foundation/url.ts';
import { trickyNames } from '../conformance/law-suite.ts';
import { commandLine } from '../support/command-line.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { serveNode } from '../support/serve-node.ts';
import { sourceFiles } from '../support/source-files.ts';

// Every step starts a process, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 });

const anyName = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 100 }),
  fc.string({ unit: fc.constantFrom(...'{}*?[]\\^~%:/.!aA'), minLength: 1 }),
  fc.constantFrom(...trickyNames),
);
const keys = new RedisKeys('app:');
const keysOf = (name: string) => [
  ...[keys.head(name), keys.log(name), keys.snapshot(name)],
  ...[keys.session(name), keys.tombstone(name), keys.leasesOf(name, 8_192)],
];
const sources = sourceFiles('src', '.ts').concat(sourceFiles('src', '.lua'));

describe('a name of a document', () => {
  test('S12: never becomes a path, however it looks like one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'backplane-names-'));
    const redis: RedisServer = await startRedisServer();
    const store = join(folder, 'store', 'documents.sqlite');
    const node = await serveNode({
      args: ['--port', '0', '--engine', 'log', '--store', `sqlite:${store}`],
      env: { BACKPLANE_URL: redis.url },
    });
    const cli = commandLine({ BACKPLANE_URL: redis.url });
    try {
      const names = ['../../escape', join(folder, 'absolute'), '.', 'CON', 'a', 'A', 'a%2F..%2Fb'];
      for (const name of names) {
        const { json } = await cli.run('op', name, 'x', '-o', 'json');
        // Its own document each time, also when only the case differs.
        expect(json()).toMatchObject({ doc: name, seq: 1 });
      }
      expect(await readdir(folder)).toEqual(['store']);
      const files = (await readdir(join(folder, 'store'))).sort();
      expect(files).toEqual(['documents.sqlite', 'documents.sqlite-shm', 'documents.sqlite-wal']);
    } finally {
      await node.stop();
      await redis.stop();
      await rm(folder, { recursive: true });
    }
  });

  test('S13: puts neither braces nor globs into a key, and each key has one hash tag', () => {
    fc.assert(
      fc.property(anyName, (name) => {
        for (const key of keysOf(name)) {
          expect(key).toMatch(
            /^app:[A-Za-z0-9:]*\{[A-Za-z0-9_.~%-]+\}(:[a-z]+)?(:[A-Za-z0-9_.~%-]+)?$/,
          );
          expect(key.split('{')).toHaveLength(2);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('S13: keeps all that a script touches in one slot, and two documents apart', () => {
    const tagOf = (key: string) => /\{(.*?)\}/.exec(key)?.[1];
    fc.assert(
      fc.property(anyName, anyName, (one, other) => {
        const [head, log, snapshot] = keysOf(one).map(tagOf);
        expect([log, snapshot]).toEqual([head, head]);
        fc.pre(one !== other && one.isWellFormed() && other.isWellFormed());
        expect(keysOf(one).slice(0, 3)).not.toEqual(keysOf(other).slice(0, 3));
      }),
      { numRuns: 1_000 },
    );
  });

  test('S15: is no subject of NATS, because this version speaks no NATS', () => {
    expect(() => parseEngineUrl('nats://host')).toThrow(
      expect.objectContaining({ code: 'URL_INVALID' }),
    );
    // Whoever adds it writes a token of a subject in base32: "." and "*" and ">" are structure there.
    expect(sources.filter(({ path }) => path.startsWith('src/drivers/nats/'))).toEqual([]);
  });
});

describe('a listing', () => {
  test('S14: asks by a prefix in which every glob is escaped, and drops what is not ours', () => {
    for (const prefix of ['a', 'app:', 'a.b-c~d_e:', '!"#$%&()+,/;<=>@|']) {
      const some = new RedisKeys(prefix);
      expect(some.channelPattern).toBe(`${prefix}*`);
      expect(some.channelName(`${prefix}doc:x`)).toBe('doc:x');
      expect(some.channelName(`x${prefix}doc:x`)).toBeNull();
    }
    for (const prefix of ['a*', 'a?', '[a]', 'a\\', '{a}', '', 'x'.repeat(65), 'a b', 'a\n']) {
      expect(() => new RedisKeys(prefix)).toThrow(
        expect.objectContaining({ code: 'CONFIG_INVALID' }),
      );
    }
  });

  test('S14: never scans the keys of a Redis, and nothing ever empties one', () => {
    const forbidden = /['"`](KEYS|SCAN|FLUSHALL|FLUSHDB|SWAPDB|RENAME|MIGRATE|DEBUG)['"`]/g;
    // Drills list the keys of the broker that they started for themselves, and of no other.
    const ofDrills = 'src/drivers/redis/redis-key-listing.ts';
    // The doctor looks at some, to find who else writes under our prefix; at no more than this.
    const ofDoctor = 'src/drivers/redis/redis-examiner.ts';
    const examiner = sources.find(({ path }) => path === ofDoctor)?.text ?? '';
    expect(examiner).toMatch(/const keysScannedMax = 20_000;/);
    expect(examiner).toMatch(/while \(cursor !== '0' && scanned < keysScannedMax\)/);
    // Only a scan finds a key that no list names; fsck says so in its help, and nothing else asks.
    const ofFsck = 'src/drivers/redis/redis-index-check.ts';
    const askers = sources.filter(({ text }) => /\.indexFaults\b/.test(text));
    expect(askers.map(({ path }) => path)).toEqual(['src/operations/diagnose/fsck.ts']);
    const allowed = [ofDrills, ofDoctor, ofFsck];
    const searched = sources.filter(({ path }) => !allowed.includes(path));
    const found = searched.flatMap(({ path, text }) =>
      [...text.matchAll(forbidden)].map(([word]) => `${path}: ${word}`),
    );
    expect(found).toEqual([]);
  });
});
