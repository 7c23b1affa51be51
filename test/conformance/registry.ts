import { expect } from 'vitest';
import type { Engine } from '../../src/ports/engine.ts';
import type { NameHolder, Registry, RegistryChange } from '../../src/ports/registry.ts';
import {
  type EngineFixture,
  freshId,
  type OpenEngineFixture,
  someDescription,
} from './engine-fixture.ts';
import { type LawOptions, lawSuite, needs, trickyNames, until } from './law-suite.ts';

const longMs = 60_000;

/** The laws of `ports/registry.ts`. */
export function registryLaws(
  name: string,
  open: OpenEngineFixture,
  options: LawOptions = {},
): void {
  lawSuite<EngineFixture>(`the registry of ${name}`, open, options, (law, scaleMs) => {
    law('1. what a live session writes is read back by others, with its version', async (f) => {
      const another = await f.openAnother();
      const session = await openSession(f.engine);
      const { registry } = f.engine;
      const first = { session, hub: 'main', from: 0, version: 1, changes: [set('a', 'A')] };
      expect(await registry.write(first)).toEqual({ status: 'written' });
      const changes = [set('b', '{"b":"ü"}'), gone('a'), set('c', 'C')];
      const second = { session, hub: 'main', from: 1, version: 7, changes };
      expect(await registry.write(second)).toEqual({ status: 'written' });
      expect(await another.registry.versions('main')).toEqual(new Map([[session, 7]]));
      const read = await readAll(another.registry, session, 'main');
      expect(read.version).toBe(7);
      expect(read.records).toEqual({ b: '{"b":"ü"}', c: 'C' });
    });

    law('1. a version that is not the one expected changes nothing', async ({ engine }) => {
      const session = await openSession(engine);
      const { registry } = engine;
      const write = { session, hub: 'main', version: 5, changes: [set('a', 'A')] };
      expect(await registry.write({ ...write, from: 4 })).toEqual({
        status: 'conflict',
        version: 0,
      });
      await registry.write({ ...write, from: 0 });
      for (const from of [0, 4, 6]) {
        const late = { ...write, from, version: 9, changes: [set('z', 'Z'), gone('a')] };
        expect(await registry.write(late)).toEqual({ status: 'conflict', version: 5 });
      }
      expect(await readAll(registry, session, 'main')).toEqual({ version: 5, records: { a: 'A' } });
    });

    law('1. of two writes from one version, one succeeds', async (fixture) => {
      const another = await fixture.openAnother();
      const session = await openSession(fixture.engine);
      const answers = await Promise.all(
        [fixture.engine, another].map(({ registry }, index) => {
          const changes = [set('a', String(index))];
          return registry.write({ session, hub: 'main', from: 0, version: index + 1, changes });
        }),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual(['conflict', 'written']);
    });

    law('1. from null replaces whatever is there', async ({ engine }) => {
      const { registry } = engine;
      const session = await openSession(engine);
      const changes = [set('a', 'A'), set('b', 'B')];
      await registry.write({ session, hub: 'main', from: 0, version: 1, changes });
      const afresh = { session, hub: 'main', from: null, version: 2, changes: [set('c', 'C')] };
      expect(await registry.write(afresh)).toEqual({ status: 'written' });
      expect(await readAll(registry, session, 'main')).toEqual({ version: 2, records: { c: 'C' } });
    });

    law('1. a session that is dead or was never opened writes nothing', async (fixture) => {
      const { engine } = fixture;
      const [fenced, expired] = [
        await openSession(engine),
        await openSession(engine, 2 * scaleMs),
      ] as const;
      await engine.sessions.fence(fenced, 0, 'fenced');
      await fixture.pass(3 * scaleMs);
      for (const session of [fenced, expired, freshId('session')]) {
        for (const from of [0, null]) {
          const write = { session, hub: 'main', from, version: 1, changes: [set('a', 'A')] };
          expect(await engine.registry.write(write)).toEqual({ status: 'dead' });
        }
      }
      expect(await engine.registry.versions('main')).toEqual(new Map());
      expect((await engine.registry.hubs(null)).hubs).toEqual([]);
    });

    law('2. a hub with nothing left in it is forgotten', async ({ engine }) => {
      const [one, other] = [await openSession(engine), await openSession(engine)];
      const { registry } = engine;
      for (const session of [one, other]) {
        await registry.write({ session, hub: 'h', from: 0, version: 1, changes: [set('a', 'A')] });
      }
      expect((await registry.hubs(null)).hubs).toEqual(['h']);
      const leaving = { hub: 'h', from: 1, version: 2, changes: [gone('a')] };
      await registry.write({ session: one, ...leaving });
      expect(await registry.versions('h')).toEqual(new Map([[other, 1]]));
      expect(await registry.read(one, 'h', null)).toEqual({ version: 0, records: [], next: null });
      await registry.write({ session: other, ...leaving });
      expect(await registry.versions('h')).toEqual(new Map());
      expect((await registry.hubs(null)).hubs).toEqual([]);
    });

    law('3. many records are read in pages, each that stays at least once', async ({ engine }) => {
      const session = await openSession(engine);
      const { registry } = engine;
      const ids = Array.from({ length: 2_000 }, (_, index) => `c-${index}`);
      let version = 0;
      for (let at = 0; at < ids.length; at += 500) {
        const changes = ids.slice(at, at + 500).map((id) => set(id, id));
        const write = { session, hub: 'main', from: version, version: version + 1, changes };
        expect(await registry.write(write)).toEqual({ status: 'written' });
        version += 1;
      }
      const seen = new Set<string>();
      let from: string | null = null;
      let pages = 0;
      do {
        const page = await registry.read(session, 'main', from);
        if (pages === 0) expect(page.version).toBe(version);
        for (const { id } of page.records) seen.add(id);
        pages += 1;
        from = page.next;
        const changes = [gone(`c-${pages}`), set(`new-${pages}`, 'x')];
        await registry.write({
          session,
          hub: 'main',
          from: version,
          version: version + 1,
          changes,
        });
        version += 1;
      } while (from !== null);
      expect(pages).toBeGreaterThan(1);
      expect(pages).toBeLessThan(100);
      for (const id of ids.slice(pages + 1)) expect(seen).toContain(id);
    });

    law('4. of many who hold one name, one succeeds and the others see it', async (fixture) => {
      const engines = [fixture.engine, await fixture.openAnother()];
      const claims = await Promise.all(
        Array.from({ length: 8 }, async (_, index) => {
          const engine = engines[index % 2]!;
          return { engine, claim: claim('n', await openSession(engine)) };
        }),
      );
      const answers = await Promise.all(
        claims.map(({ engine, claim: one }) => engine.registry.hold(one, 'refuse')),
      );
      const winner = answers.findIndex(({ status }) => status === 'held');
      const held = claims[winner]!.claim;
      for (const [index, answer] of answers.entries()) {
        if (index !== winner) expect(answer).toEqual({ status: 'conflict', previous: held });
      }
      for (const { registry } of engines) expect(await registry.holder('n')).toEqual(held);
    });

    law('4. who holds a name may say something new of itself', async ({ engine }) => {
      const { registry } = engine;
      const first = claim('n', await openSession(engine));
      expect(await registry.hold(first, 'refuse')).toEqual({ status: 'held' });
      const second = { ...first, holder: '{"a b":\n"c"}' };
      expect(await registry.hold(second, 'refuse')).toEqual({ status: 'held' });
      expect(await registry.holder('n')).toEqual(second);
    });

    law('4. a name whose session is dead is absent, and can be held', async (fixture) => {
      const { engine } = fixture;
      const { registry, sessions } = engine;
      const dead = await openSession(engine, 2 * scaleMs);
      await registry.hold(claim('expired', dead), 'refuse');
      const killed = await openSession(engine);
      await registry.hold(claim('fenced', killed), 'refuse');
      await sessions.fence(killed, 0, 'fenced');
      await fixture.pass(3 * scaleMs);
      const living = await openSession(engine);
      for (const name of ['expired', 'fenced']) {
        expect(await registry.holder(name)).toBeNull();
        const next = claim(name, living);
        expect(await registry.hold(next, 'refuse')).toEqual({ status: 'held' });
        expect(await registry.holder(name)).toEqual(next);
      }
      // What the dead have left does not concern who came after.
      for (const session of [dead, killed]) await clearAll(registry, session);
      expect(await namesOf(registry)).toHaveLength(2);
      expect(await registry.hold(claim('n', dead), 'refuse')).toEqual({ status: 'dead' });
    });

    law('5. take succeeds, and names whom it was taken from', async ({ engine }) => {
      const { registry } = engine;
      const first = claim('n', await openSession(engine));
      const second = claim('n', await openSession(engine));
      expect(await registry.hold(first, 'take')).toEqual({ status: 'held' });
      expect(await registry.hold(second, 'take')).toEqual({ status: 'taken', previous: first });
      expect(await registry.holder('n')).toEqual(second);
    });

    law('6. only its token lets a name go', async ({ engine }) => {
      const { registry } = engine;
      const first = claim('n', await openSession(engine));
      const second = claim('n', await openSession(engine));
      await registry.hold(first, 'refuse');
      expect(await registry.letGo('n', second.session, second.token)).toBe(false);
      await registry.hold(second, 'take');
      expect(await registry.letGo('n', first.session, first.token)).toBe(false);
      expect(await registry.holder('n')).toEqual(second);
      expect(await registry.letGo('n', second.session, second.token)).toBe(true);
      expect(await registry.letGo('n', second.session, second.token)).toBe(false);
      expect(await registry.holder('n')).toBeNull();
      expect(await namesOf(registry)).toEqual([]);
    });

    law('7. clear removes all of a dead session, and nothing else', async ({ engine }) => {
      const { registry, sessions } = engine;
      const [dead, living] = [await openSession(engine), await openSession(engine)];
      for (const session of [dead, living]) {
        for (let index = 0; index < 40; index += 1) {
          const hub = index < 20 ? `shared-${index}` : `${session}-${index}`;
          const changes = [set('a', session), set('b', session)];
          await registry.write({ session, hub, from: 0, version: index + 1, changes });
          await registry.hold(claim(`${session}-${index}`, session), 'refuse');
        }
      }
      const taken = claim(`${dead}-0`, living);
      await registry.hold(taken, 'take');
      expect(await registry.clear(living)).toEqual({ removed: 0, done: true });
      await sessions.fence(dead, 0, 'fenced');
      await clearAll(registry, dead);
      expect((await registry.hubs(null)).hubs).toHaveLength(40);
      for (let index = 0; index < 20; index += 1) {
        const versions = await registry.versions(`shared-${index}`);
        expect(versions).toEqual(new Map([[living, index + 1]]));
        const read = await readAll(registry, dead, `shared-${index}`);
        expect(read).toEqual({ version: 0, records: {} });
      }
      const names = await namesOf(registry);
      expect(new Set(names.map(({ session }) => session))).toEqual(new Set([living]));
      expect(names).toContainEqual(taken);
      expect(names).toHaveLength(41);
      expect(await registry.clear(dead)).toEqual({ removed: 0, done: true });
    });

    law('7. an engine that lost its data has no registrations left', async (fixture) => {
      const wipe = needs(fixture.wipe, 'lose its data');
      const { registry } = fixture.engine;
      const session = await openSession(fixture.engine);
      const write = { session, hub: 'main', from: 0, version: 1, changes: [set('a', 'A')] };
      await registry.write(write);
      await wipe.call(fixture);
      await until(fixture, 'the engine to answer again', () => {
        return registry.versions('main').then(
          (versions) => versions.size === 0,
          () => false,
        );
      });
      expect(await registry.write(write)).toEqual({ status: 'dead' });
    });

    law('8. tricky names are kept apart', async ({ engine }) => {
      const { registry } = engine;
      const session = await openSession(engine);
      for (const [index, name] of trickyNames.entries()) {
        const changes = [set(name, name)];
        await registry.write({ session, hub: name, from: 0, version: index + 1, changes });
        expect(await registry.hold(claim(name, session), 'refuse')).toEqual({ status: 'held' });
      }
      for (const [index, name] of trickyNames.entries()) {
        const read = await registry.read(session, name, null);
        expect(read.version).toBe(index + 1);
        expect(read.records).toEqual([{ id: name, record: name }]);
        expect((await registry.holder(name))?.name).toBe(name);
      }
      expect(new Set((await registry.hubs(null)).hubs)).toEqual(new Set(trickyNames));
      const names = await namesOf(registry);
      expect(new Set(names.map(({ name }) => name))).toEqual(new Set(trickyNames));
    });
  });
}

const set = (id: string, record: string): RegistryChange => ({ id, record });
const gone = (id: string): RegistryChange => ({ id, record: null });

function claim(name: string, session: string): NameHolder {
  return { name, session, token: freshId('token'), holder: JSON.stringify({ session }) };
}

async function openSession(engine: Engine, ttlMs = longMs): Promise<string> {
  const id = freshId('session');
  await engine.sessions.open({ id, token: 'token', ttlMs, description: someDescription });
  return id;
}

async function readAll(registry: Registry, session: string, hub: string) {
  const records: Record<string, string> = {};
  let version: number | null = null;
  let from: string | null = null;
  do {
    const page = await registry.read(session, hub, from);
    version ??= page.version;
    for (const { id, record } of page.records) records[id] = record;
    from = page.next;
  } while (from !== null);
  return { version, records };
}

async function namesOf(registry: Registry): Promise<NameHolder[]> {
  const names = new Map<string, NameHolder>();
  let from: string | null = null;
  do {
    const page = await registry.names(from);
    for (const holder of page.names) names.set(holder.name, holder);
    from = page.next;
  } while (from !== null);
  return [...names.values()];
}

async function clearAll(registry: Registry, session: string): Promise<void> {
  for (let step = 0; step < 100; step += 1) if ((await registry.clear(session)).done) return;
  throw new Error('it is never done');
}
