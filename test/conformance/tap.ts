import { expect } from 'vitest';
import type { Engine } from '../../src/ports/engine.ts';
import type { Store } from '../../src/ports/store.ts';
import type { Tap, TapEvent, Witness } from '../../src/ports/tap.ts';
import { freshId, someDescription, someVitals } from './engine-fixture.ts';
import { type DefineLaw, type Fixture, type LawOptions, lawSuite, needs } from './law-suite.ts';
import { appendTo, newDocument, opsAfter, readAll } from './store-steps.ts';

/** A cluster whose directory and store a tap can listen to. */
export interface TapFixture extends Fixture {
  readonly store: Store;
  /** What a second node of the same cluster would hold. */
  openAnother(): Promise<Store>;
  /** What the tap tells of besides the store; drivers of stores alone have none. */
  readonly engine?: Engine;
  openTap(witness: Witness): Promise<Tap>;
  /** What is done from here on goes unseen, until the tap notices. */
  blind(): Promise<void>;
  /** All that others can read. */
  contents(): Promise<unknown>;
}

export type OpenTapFixture = () => Promise<TapFixture>;

/** The laws of `ports/tap.ts`. */
export function tapLaws(name: string, open: OpenTapFixture, options: LawOptions = {}): void {
  lawSuite(`the tap: ${name}`, open, options, (law, scaleMs) => {
    storeLaws(law);
    directoryLaws(law, scaleMs);
    listeningLaws(law);
  });
}

/** A tap, and what it told so far. */
async function listen(fixture: TapFixture): Promise<{ tap: Tap; told: TapEvent[] }> {
  const told: TapEvent[] = [];
  const tap = await fixture.openTap((event) => told.push(event));
  return { tap, told };
}

function ofStore(told: readonly TapEvent[], doc: string): TapEvent[] {
  return told.filter((event) => {
    return (event.kind === 'store.fence' || event.kind === 'store.append') && event.doc === doc;
  });
}

function storeLaws(law: DefineLaw<TapFixture>): void {
  law('1. tells every fence and append with who did it, once', async (fixture) => {
    const { store } = fixture;
    const { tap, told } = await listen(fixture);
    const doc = await newDocument(store, 's1');
    await appendTo(store, doc, 's1', 3);
    expect(await store.fence(doc, 's2', 1)).toMatchObject({ status: 'fenced' });
    await appendTo(store, doc, 's2', 1, 'p2');
    await tap.flush();
    expect(ofStore(told, doc)).toEqual([
      { kind: 'store.fence', doc, session: 's1', epoch: 1 },
      ...[{ kind: 'store.append', doc, session: 's1', epoch: 1, seq: 1, opIds: opIds('p1', 1, 3) }],
      { kind: 'store.fence', doc, session: 's2', epoch: 2 },
      { kind: 'store.append', doc, session: 's2', epoch: 2, seq: 4, opIds: ['p2:4'] },
    ]);
    await tap.close();
  });

  law('1. tells nothing of what was refused', async (fixture) => {
    const { store } = fixture;
    const { tap, told } = await listen(fixture);
    const doc = await newDocument(store, 's1', { epoch: 2 });
    await tap.flush();
    told.length = 0;
    await store.fence(doc, 's2', 0);
    const end = { seq: 0, chain: '' };
    const append = { doc, session: 's1', after: end, announcement: null };
    await store.append({ ...append, epoch: 1, ops: opsAfter(end, 1, 1) });
    await store.append({ ...append, epoch: 2, session: 's9', ops: opsAfter(end, 1, 2) });
    const later = { seq: 7, chain: 'x' };
    await store.append({ ...append, epoch: 2, after: later, ops: opsAfter(later, 1, 2) });
    await store.checkWritable();
    await store.saveSnapshot(doc, 2, { seq: 1, chain: 'x', data: new Uint8Array(10) });
    await tap.flush();
    expect(told).toEqual([]);
    await tap.close();
  });

  law('1. tells of any name and of the largest payloads', async (fixture) => {
    const { store } = fixture;
    const { tap, told } = await listen(fixture);
    const tag = freshId('"');
    const quoted = `x" "y\\" \\" 文`;
    const docs = [`${tag} ${quoted}`, `~${tag}`, `${tag}${'文'.repeat(150)}`];
    for (const doc of docs) {
      await store.fence(doc, 's1', 0);
      const payload = new Uint8Array(1_000_000).map((_, at) => at % 251);
      const tricky = new TextEncoder().encode('" "x\\" "\r\n+1.1 [0 lua] "HSET" "');
      const start = { seq: 0, chain: '' };
      const ops = opsAfter(start, 2, 1).map((op, at) => ({
        ...{ ...op, payload: at === 0 ? payload : tricky },
      }));
      const append = { doc, epoch: 1, session: 's1', after: start, ops, announcement: null };
      expect(await store.append(append)).toEqual({ status: 'appended' });
    }
    await tap.flush();
    for (const doc of docs) {
      expect(ofStore(told, doc)).toEqual([
        { kind: 'store.fence', doc, session: 's1', epoch: 1 },
        { kind: 'store.append', doc, session: 's1', epoch: 1, seq: 1, opIds: opIds('p1', 1, 2) },
      ]);
    }
    await tap.close();
  });

  law('1. keeps the order of the store when two owners fight over a document', async (fixture) => {
    const { tap, told } = await listen(fixture);
    const doc = await newDocument(fixture.store, 's0');
    const stores = [fixture.store, await fixture.openAnother()];
    const accepted = await Promise.all(stores.map((store, at) => fight(store, doc, `s${at + 1}`)));
    await tap.flush();
    const events = ofStore(told, doc);
    let [epoch, session, seq] = [0, '', 0];
    for (const event of events) {
      if (event.kind === 'store.fence') {
        expect(event.epoch).toBe(epoch + 1);
        [epoch, session] = [event.epoch, event.session];
      } else if (event.kind === 'store.append') {
        expect([event.epoch, event.session, event.seq]).toEqual([epoch, session, seq + 1]);
        seq += event.opIds.length;
      }
    }
    const appends = events.filter(({ kind }) => kind === 'store.append');
    expect(appends).toHaveLength(accepted[0]! + accepted[1]!);
    expect(await readAll(fixture.store, doc)).toHaveLength(seq);
    expect(epoch).toBeGreaterThan(20);
    await tap.close();
  });
}

function opIds(peer: string, first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, i) => `${peer}:${first + i}`);
}

/** Takes the document again and again, and appends until it loses it; answers how often it could. */
async function fight(store: Store, doc: string, session: string): Promise<number> {
  let appended = 0;
  for (let fences = 0; fences < 30; fences++) {
    const head = await store.head(doc);
    const taken = await store.fence(doc, session, head?.epoch ?? 0);
    if (taken.status !== 'fenced') continue;
    let { seq, chain } = taken.head;
    for (let appends = 0; appends < 3; appends++) {
      const ops = opsAfter({ seq, chain }, 2, taken.head.epoch, session);
      const append = { doc, epoch: taken.head.epoch, session, after: { seq, chain }, ops };
      const { status } = await store.append({ ...append, announcement: null });
      if (status !== 'appended') break;
      appended += 1;
      ({ seq, chain } = ops[1]!);
    }
  }
  return appended;
}

function directoryLaws(law: DefineLaw<TapFixture>, scaleMs: number): void {
  law('2. tells of every session once, in the order of the directory', async (fixture) => {
    const { sessions } = needs(fixture.engine, 'tell of a directory');
    const [a, b, c] = ['a', 'b', 'c'].map(freshId) as [string, string, string];
    const openOne = (id: string, nodeId: string, ttlMs: number) =>
      sessions.open({ id, token: 't', ttlMs, description: { ...someDescription, nodeId } });
    await openOne(a, 'node-a', 100 * scaleMs);
    const { tap, told } = await listen(fixture);
    await openOne(b, 'node-b', 100 * scaleMs);
    await openOne(c, 'node-c', scaleMs);
    await expect(openOne(b, 'node-b', 100 * scaleMs)).rejects.toMatchObject({
      code: 'SESSION_TAKEN',
    });
    expect(await sessions.fence(a, 7, 'fenced')).toBe('renewed');
    expect(await sessions.fence(a, 0, 'fenced')).toBe('fenced');
    expect(await sessions.fence(a, 0, 'fenced')).toBe('dead');
    await sessions.fence(b, 0, 'left');
    await fixture.pass(2 * scaleMs);
    // Whoever looks for something to sweep buries what has expired.
    for (let i = 0; i < 4; i++) await sessions.takeSweep(100 * scaleMs);
    await tap.flush();
    expect(told).toEqual([
      { kind: 'session.open', session: a, nodeId: 'node-a' },
      { kind: 'session.open', session: b, nodeId: 'node-b' },
      { kind: 'session.open', session: c, nodeId: 'node-c' },
      { kind: 'session.gone', session: a, seenBeat: 0 },
      { kind: 'session.gone', session: b, seenBeat: 0 },
      { kind: 'session.gone', session: c },
    ]);
    await tap.close();
  });

  law(
    '2. tells of every sign of life, and of which one whoever ended a session knew',
    async (fixture) => {
      const { sessions } = needs(fixture.engine, 'tell of a directory');
      const id = freshId('a');
      const { tap, told } = await listen(fixture);
      const ttlMs = 100 * scaleMs;
      await sessions.open({ id, token: 't', ttlMs, description: someDescription });
      const renew = (token: string, beat: number) =>
        sessions.renew({ id, token, beat, ttlMs, vitals: someVitals });
      await renew('t', 1);
      await renew('t', 3);
      expect(await renew('t', 2)).toEqual({ status: 'stale' });
      expect(await renew('other', 9)).toEqual({ status: 'dead' });
      await sessions.fence(id, 3, 'fenced');
      await tap.flush();
      expect(told).toEqual([
        { kind: 'session.open', session: id, nodeId: someDescription.nodeId },
        { kind: 'session.beat', session: id, beat: 1 },
        { kind: 'session.beat', session: id, beat: 3 },
        { kind: 'session.gone', session: id, seenBeat: 3 },
      ]);
      await tap.close();
    },
  );

  law('2. tells of every lease that is confirmed or taken away, once', async (fixture) => {
    const { leases } = needs(fixture.engine, 'tell of a directory');
    const { tap, told } = await listen(fixture);
    const [one, two, three] = ['"one" ', 'two', 'three'].map(freshId) as [string, string, string];
    const take = async (doc: string, session: string, epoch: number) => {
      const seen = await leases.read(doc);
      const claim = await leases.claim(doc, seen, session);
      expect(claim).toMatchObject({ status: 'claimed' });
      const claimedEpoch = seen?.epoch ?? 0;
      expect(await leases.confirm({ doc, session, claimedEpoch, epoch })).toBe('confirmed');
    };
    await take(one, 's1', 1);
    await leases.release(one, 's1', 1, 's2');
    await take(one, 's2', 2);
    await leases.release(one, 's2', 2, null);
    await take(two, 's1', 1);
    await take(two, 's2', 2);
    expect((await leases.claim(two, null, 's3')).status).toBe('conflict');
    await take(three, 's2', 9);
    await leases.claim(freshId('claimed'), null, 's2');
    let from: string | null = null;
    do {
      from = (await leases.sweep('s2', from)).next;
    } while (from !== null);
    await tap.flush();
    const swept = told.splice(-2);
    expect(told).toEqual([
      { kind: 'lease.grant', doc: one, session: 's1', epoch: 1 },
      { kind: 'lease.gone', doc: one },
      { kind: 'lease.grant', doc: one, session: 's2', epoch: 2 },
      { kind: 'lease.gone', doc: one },
      { kind: 'lease.grant', doc: two, session: 's1', epoch: 1 },
      { kind: 'lease.gone', doc: two },
      { kind: 'lease.grant', doc: two, session: 's2', epoch: 2 },
      { kind: 'lease.grant', doc: three, session: 's2', epoch: 9 },
    ]);
    expect(swept.map((event) => ('doc' in event ? event.doc : event)).sort()).toEqual(
      [two, three].sort(),
    );
    expect(swept.map(({ kind }) => kind)).toEqual(['lease.gone', 'lease.gone']);
    await tap.close();
  });
}

function listeningLaws(law: DefineLaw<TapFixture>): void {
  law('3. says that something went unseen before it tells anything later', async (fixture) => {
    const { store } = fixture;
    const { tap, told } = await listen(fixture);
    const doc = await newDocument(store, 's1');
    await appendTo(store, doc, 's1', 1);
    await tap.flush();
    const before = told.length;
    await fixture.blind();
    await appendTo(store, doc, 's1', 1);
    await tap.flush();
    await appendTo(store, doc, 's1', 1);
    await tap.flush();
    const later = told.slice(before);
    expect(later).toContainEqual({ kind: 'unseen', where: 'store' });
    const first = later.findIndex(({ kind }) => kind !== 'unseen');
    expect(later.slice(first)).toContainEqual({
      ...{ kind: 'store.append', doc, session: 's1', epoch: 1, seq: 3, opIds: ['p1:3'] },
    });
    expect(later.slice(first).filter(({ kind }) => kind === 'unseen')).toEqual([]);
    await tap.close();
  });

  law('3. tells what became of the sessions while nobody listened', async (fixture) => {
    const { sessions } = needs(fixture.engine, 'tell of a directory');
    const [dies, opens] = [freshId('dies'), freshId('opens')];
    const opening = { token: 't', ttlMs: 60_000, description: someDescription };
    const { tap, told } = await listen(fixture);
    await sessions.open({ id: dies, ...opening });
    await tap.flush();
    await fixture.blind();
    await sessions.fence(dies, 0, 'fenced');
    await sessions.open({ id: opens, ...opening });
    await tap.flush();
    const { nodeId } = someDescription;
    expect(told.filter(({ kind }) => kind.startsWith('session.'))).toEqual([
      { kind: 'session.open', session: dies, nodeId },
      { kind: 'session.gone', session: dies },
      { kind: 'session.open', session: opens, nodeId },
    ]);
    expect(told).toContainEqual({ kind: 'unseen', where: 'directory', leases: [] });
    await tap.close();
  });

  law(
    '4. has told everything after flush, also of what was done by many at once',
    async (fixture) => {
      const { tap, told } = await listen(fixture);
      const another = await fixture.openAnother();
      const docs = await Promise.all(
        Array.from({ length: 60 }, async (_, at) => {
          const store = at % 2 ? another : fixture.store;
          const doc = await newDocument(store, 's1');
          await appendTo(store, doc, 's1', 2);
          return doc;
        }),
      );
      await tap.flush();
      for (const doc of docs) expect(ofStore(told, doc)).toHaveLength(2);
      await tap.flush();
      expect(told.filter(({ kind }) => kind.startsWith('store.'))).toHaveLength(120);
      await tap.close();
      await appendTo(another, docs[0]!, 's1', 1);
      expect(told.filter(({ kind }) => kind.startsWith('store.'))).toHaveLength(120);
      await expect(tap.flush()).rejects.toMatchObject({ code: 'CLOSED' });
      await tap.close();
    },
  );

  law('5. listening leaves everything as it is', async (fixture) => {
    const { store } = fixture;
    const doc = await newDocument(store, 's1');
    const ops = await appendTo(store, doc, 's1', 3);
    const before = await fixture.contents();
    const { tap } = await listen(fixture);
    await tap.flush();
    expect(await readAll(store, doc)).toHaveLength(ops.length);
    expect(await store.head(doc)).toMatchObject({ seq: 3, epoch: 1 });
    await tap.close();
    expect(await fixture.contents()).toEqual(before);
  });
}
