import { expect } from 'vitest';
import { cacheLimits } from '../../src/foundation/limits.ts';
import {
  type CacheEviction,
  type CacheScope,
  type CacheStamp,
  readEvictionTrailer,
} from '../../src/ports/cache-records.ts';
import type { Engine } from '../../src/ports/engine.ts';
import {
  bytes,
  type EngineFixture,
  freshId,
  type OpenEngineFixture,
  text,
} from './engine-fixture.ts';
import { type LawOptions, lawSuite, needs, trickyNames, until } from './law-suite.ts';

const region: CacheScope = { kind: 'region' };
const keyed = (key: string): CacheScope => ({ kind: 'key', key });
const prefixed = (prefix: string): CacheScope => ({ kind: 'prefix', prefix });
const longMs = 600_000;

let tokens = 0;
const freshToken = () => `t${String(tokens++).padStart(15, '0')}`;

function eviction(
  name: string,
  scope: CacheScope,
  more: Partial<CacheEviction> = {},
): CacheEviction {
  const channel = `cache:${name}`;
  const announcement = bytes('announced');
  return { region: name, scope, token: freshToken(), seen: null, channel, announcement, ...more };
}

async function evict(engine: Engine, name: string, scope: CacheScope): Promise<CacheStamp> {
  const answer = await engine.cacheRecords.evict(eviction(name, scope));
  if (answer.status !== 'evicted') throw new Error('nothing was evicted');
  return answer.stamp;
}

/** Loads a value as a node does: reads, and writes what it has loaded. */
async function fill(engine: Engine, name: string, key: string, value: string, ttlMs = longMs) {
  const { mark } = await engine.cacheRecords.read(name, key);
  return engine.cacheRecords.write({ region: name, key, value: bytes(value), ttlMs, mark });
}

async function heldValue(engine: Engine, name: string, key: string): Promise<string | null> {
  const { value } = await engine.cacheRecords.read(name, key);
  return value && text(value);
}

/** The laws of `ports/cache-records.ts`. */
export function cacheRecordsLaws(
  name: string,
  open: OpenEngineFixture,
  options: LawOptions = {},
): void {
  lawSuite<EngineFixture>(`the cache records of ${name}`, open, options, (law, scaleMs) => {
    law('1. the first to join gives the stamp; every later one gets what is there', async (f) => {
      const another = await f.openAnother();
      const token = freshToken();
      const first = await f.engine.cacheRecords.join('r', token, false);
      expect(first).toEqual({ count: 0, token });
      expect(await another.cacheRecords.join('r', freshToken(), true)).toEqual(first);
      const stamp = await evict(another, 'r', region);
      expect(await f.engine.cacheRecords.join('r', freshToken(), false)).toEqual(stamp);
    });

    law('2. an eviction counts by one and announces itself with count and token', async (f) => {
      const another = await f.openAnother();
      const heard: string[] = [];
      const listening = await another.bus.subscribe('cache:r', (payload) => {
        heard.push(Buffer.from(payload).toString('latin1'));
      });
      const first = await f.engine.cacheRecords.join('r', freshToken(), false);
      const one = eviction('r', keyed('a'));
      const answer = await f.engine.cacheRecords.evict(one);
      expect(answer).toEqual({
        status: 'evicted',
        stamp: { count: 1, token: one.token },
        receivers: 1,
      });
      await evict(f.engine, 'r', region);
      await until(f, 'both announcements', () => heard.length === 2);
      const trailers = heard.map((payload) => readEvictionTrailer(bytes(payload.slice(9))));
      expect(heard.every((payload) => payload.startsWith('announced'))).toBe(true);
      expect(trailers).toEqual([
        { count: 1, before: first.token },
        { count: 2, before: one.token },
      ]);
      await listening.close();
    });

    law('2. of many at once each gets a count of its own', async (f) => {
      const another = await f.openAnother();
      const stamps = await Promise.all(
        Array.from({ length: 20 }, (_, i) => evict(i % 2 ? another : f.engine, 'r', keyed(`${i}`))),
      );
      const counts = stamps.map(({ count }) => count).sort((a, b) => a - b);
      expect(counts).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    });

    law('2. the same eviction again changes nothing and is not announced again', async (f) => {
      const one = eviction('r', region);
      const first = await f.engine.cacheRecords.evict(one);
      let heard = 0;
      const listening = await f.engine.bus.subscribe('cache:r', () => void heard++);
      const again = await f.engine.cacheRecords.evict(one);
      expect(again).toMatchObject({ ...first, receivers: 0 });
      const next = await f.engine.cacheRecords.evict(eviction('r', region));
      expect(next).toMatchObject({ stamp: { count: 2 } });
      await until(f, 'the next announcement', () => heard > 0);
      expect(heard).toBe(1);
      await listening.close();
    });

    law('3. an eviction from a stamp changes nothing unless that is the stamp', async (f) => {
      const { cacheRecords } = f.engine;
      const seen = await cacheRecords.join('r', freshToken(), false);
      const first = eviction('r', region, { seen });
      expect(await cacheRecords.evict(first)).toMatchObject({ status: 'evicted' });
      const second = eviction('r', region, { seen });
      expect(await cacheRecords.evict(second)).toEqual({ status: 'changed' });
      const wrongToken = { count: 1, token: freshToken() };
      const third = eviction('r', region, { seen: wrongToken });
      expect(await cacheRecords.evict(third)).toEqual({ status: 'changed' });
      const { stamps } = await cacheRecords.look(['r']);
      expect(stamps).toEqual([{ count: 1, token: first.token }]);
    });

    law('4. a look answers each stamp, and null where none is', async (f) => {
      const another = await f.openAnother();
      const token = freshToken();
      await f.engine.cacheRecords.join('a', token, false);
      const b = await evict(f.engine, 'b', region);
      const [mine, theirs] = [
        await f.engine.cacheRecords.look(['a', 'none', 'b']),
        await another.cacheRecords.look(['a', 'none', 'b']),
      ];
      expect(mine.stamps).toEqual([{ count: 0, token }, null, b]);
      expect(theirs).toEqual(mine);
    });

    law('4. a broker that lost its data has another name, and no stamps', async (f) => {
      const wipe = needs(f.wipe, 'lose its data');
      await f.engine.cacheRecords.join('r', freshToken(), false);
      const before = await f.engine.cacheRecords.look(['r']);
      await wipe.call(f);
      await until(f, 'the engine to answer again', () => {
        return f.engine.cacheRecords.look([]).then(
          () => true,
          () => false,
        );
      });
      const after = await f.engine.cacheRecords.look(['r']);
      expect(after.stamps).toEqual([null]);
      expect(after.broker).not.toBe(before.broker);
    });

    law('5. what was written is read until its time is over', async (f) => {
      const another = await f.openAnother();
      await f.engine.cacheRecords.join('r', freshToken(), true);
      expect(await fill(f.engine, 'r', 'k', 'v', 3 * scaleMs)).toBe('written');
      expect(await heldValue(another, 'r', 'k')).toBe('v');
      await f.pass(4 * scaleMs);
      expect(await heldValue(another, 'r', 'k')).toBeNull();
    });

    law('5. an eviction of the key, of a prefix and of the region ends it', async (f) => {
      const another = await f.openAnother();
      await f.engine.cacheRecords.join('r', freshToken(), true);
      const scopes = [keyed('user:1'), prefixed('user:'), prefixed('u'), region];
      for (const scope of scopes) {
        expect(await fill(f.engine, 'r', 'user:1', 'v')).toBe('written');
        expect(await fill(f.engine, 'r', 'video:1', 'w')).toBe('written');
        await evict(another, 'r', scope);
        expect(await heldValue(f.engine, 'r', 'user:1')).toBeNull();
        expect(await heldValue(f.engine, 'r', 'video:1')).toBe(scope === region ? null : 'w');
      }
    });

    law('5. more prefixes than are remembered evict more, never less', async (f) => {
      await f.engine.cacheRecords.join('r', freshToken(), true);
      const count = cacheLimits.prefixesMax + 3;
      for (let i = 0; i < count; i++) await fill(f.engine, 'r', `p${i}:x`, 'v');
      for (let i = 0; i < count; i++) await evict(f.engine, 'r', prefixed(`p${i}:`));
      for (let i = 0; i < count; i++) {
        expect(await heldValue(f.engine, 'r', `p${i}:x`)).toBeNull();
      }
      expect(await fill(f.engine, 'r', 'p0:x', 'new')).toBe('written');
      expect(await heldValue(f.engine, 'r', 'p0:x')).toBe('new');
    });

    law('6. a load that began before an eviction is not written', async (f) => {
      const another = await f.openAnother();
      const { cacheRecords } = f.engine;
      await cacheRecords.join('r', freshToken(), true);
      for (const scope of [keyed('user:1'), prefixed('user:'), region]) {
        const { mark } = await cacheRecords.read('r', 'user:1');
        await evict(another, 'r', scope);
        const write = { region: 'r', key: 'user:1', value: bytes('old'), ttlMs: longMs, mark };
        expect(await cacheRecords.write(write)).toBe('refused');
        expect(await heldValue(f.engine, 'r', 'user:1')).toBeNull();
      }
    });

    law('6. a load during the eviction of something else is written', async (f) => {
      const { cacheRecords } = f.engine;
      await cacheRecords.join('r', freshToken(), true);
      const { mark } = await cacheRecords.read('r', 'user:1');
      await evict(f.engine, 'r', keyed('user:2'));
      await evict(f.engine, 'r', prefixed('user:2'));
      const write = { region: 'r', key: 'user:1', value: bytes('v'), ttlMs: longMs, mark };
      expect(await cacheRecords.write(write)).toBe('written');
      expect(await heldValue(f.engine, 'r', 'user:1')).toBe('v');
    });

    law('6. a load that began too long ago, or of another birth, is not written', async (f) => {
      const { cacheRecords } = f.engine;
      await cacheRecords.join('r', freshToken(), true);
      const { mark } = await cacheRecords.read('r', 'k');
      const write = { region: 'r', key: 'k', value: bytes('v'), ttlMs: longMs };
      const long = { ...mark, atMs: mark.atMs - cacheLimits.loadMsMax - 1_000 };
      expect(await cacheRecords.write({ ...write, mark: long })).toBe('refused');
      expect(await cacheRecords.write({ ...write, mark: { ...mark, birth: '' } })).toBe('refused');
      const later = { ...mark, count: mark.count + 1 };
      expect(await cacheRecords.write({ ...write, mark: later })).toBe('refused');
      const none = await cacheRecords.read('none', 'k');
      expect(await cacheRecords.write({ ...write, region: 'none', mark: none.mark })).toBe(
        'refused',
      );
    });

    law('7. any key is kept apart from every other', async (f) => {
      await f.engine.cacheRecords.join('r', freshToken(), true);
      await f.engine.cacheRecords.join('r2', freshToken(), true);
      await Promise.all(trickyNames.map((key, i) => fill(f.engine, 'r', key, `v${i}`)));
      await evict(f.engine, 'r2', region);
      const gone = trickyNames.indexOf('doc*');
      await evict(f.engine, 'r', keyed('doc*'));
      const found = await Promise.all(trickyNames.map((key) => heldValue(f.engine, 'r', key)));
      expect(found).toEqual(trickyNames.map((_, i) => (i === gone ? null : `v${i}`)));
      await evict(f.engine, 'r', prefixed('doc['));
      expect(await heldValue(f.engine, 'r', 'doc[1]')).toBeNull();
      expect(await heldValue(f.engine, 'r', 'doc1')).toBeNull();
      expect(await heldValue(f.engine, 'r', 'doc.1')).not.toBeNull();
    });

    law('8. every region that was joined is named', async (f) => {
      const another = await f.openAnother();
      const name = freshId('region');
      await f.engine.cacheRecords.join(name, freshToken(), false);
      await another.cacheRecords.join('other', freshToken(), false);
      expect((await another.cacheRecords.regions()).sort()).toEqual([name, 'other'].sort());
    });
  });
}
