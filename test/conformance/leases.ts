import fc from 'fast-check';
import { expect } from 'vitest';
import type { Engine } from '../../src/ports/engine.ts';
import type { LeaseRecord, LeaseState } from '../../src/ports/leases.ts';
import {
  type EngineFixture,
  freshId,
  type OpenEngineFixture,
  someDescription,
} from './engine-fixture.ts';
import { type LawOptions, lawSuite, trickyNames } from './law-suite.ts';

/** The laws of `ports/leases.ts`. */
export function leasesLaws(name: string, open: OpenEngineFixture, options: LawOptions = {}): void {
  lawSuite<EngineFixture>(`the leases of ${name}`, open, options, (law) => {
    law('looking never acquires', async ({ engine }) => {
      const doc = freshId('doc');
      expect(await engine.leases.read(doc)).toBeNull();
      expect(await engine.leases.read(doc)).toBeNull();
      expect(await engine.leases.claim(doc, null, 's1')).toEqual({ status: 'claimed', epoch: 0 });
    });

    law('1. claim succeeds only from exactly the record seen', async (fixture) => {
      const { leases } = fixture.engine;
      const another = await fixture.openAnother();
      const doc = await hold(fixture.engine, 's1', 7);
      const current: LeaseRecord = { session: 's1', epoch: 7, state: 'held' };
      const wrong: (LeaseRecord | null)[] = [
        null,
        { ...current, epoch: 6 },
        { ...current, epoch: 8 },
        { ...current, session: 's2' },
        { ...current, state: 'claimed' },
        { ...current, state: 'handed' },
      ];
      for (const seen of wrong) {
        expect(await another.leases.claim(doc, seen, 's2')).toEqual({
          status: 'conflict',
          current,
        });
      }
      expect(await leases.read(doc)).toEqual(current);
      expect(await another.leases.claim(doc, current, 's2')).toEqual({
        status: 'claimed',
        epoch: 7,
      });
      expect(await leases.read(doc)).toEqual({ session: 's2', epoch: 7, state: 'claimed' });
    });

    law('1. claim from a record that is gone tells that nothing is there', async ({ engine }) => {
      const doc = freshId('doc');
      const seen: LeaseRecord = { session: 's1', epoch: 3, state: 'held' };
      const answer = await engine.leases.claim(doc, seen, 's2');
      expect(answer).toEqual({ status: 'conflict', current: null });
      expect(await engine.leases.read(doc)).toBeNull();
    });

    law('1. of many claimants one wins', async (fixture) => {
      const another = await fixture.openAnother();
      for (let round = 0; round < 10; round++) {
        const doc = freshId('doc');
        const claims = Array.from({ length: 8 }, (_, i) => {
          const engine = i % 2 ? another : fixture.engine;
          return engine.leases.claim(doc, null, `s${i}`);
        });
        const answers = await Promise.all(claims);
        const winners = answers.flatMap((one, i) => (one.status === 'claimed' ? [`s${i}`] : []));
        expect(winners).toHaveLength(1);
        const record = { session: winners[0], epoch: 0, state: 'claimed' };
        expect(await another.leases.read(doc)).toEqual(record);
      }
    });

    law('2. a claim keeps the epoch of the record it replaced, or 0', async ({ engine }) => {
      const doc = await hold(engine, 's1', 41);
      const seen = await engine.leases.read(doc);
      expect(await engine.leases.claim(doc, seen, 's2')).toEqual({ status: 'claimed', epoch: 41 });
      const claimed = await engine.leases.read(doc);
      // A claim that was never confirmed is claimed again, also by its own session.
      expect(await engine.leases.claim(doc, claimed, 's2')).toEqual({
        status: 'claimed',
        epoch: 41,
      });
      expect(await engine.leases.claim(doc, claimed, 's3')).toEqual({
        status: 'claimed',
        epoch: 41,
      });
      expect(await engine.leases.release(doc, 's3', 41, null)).toBe(true);
      expect(await engine.leases.claim(doc, null, 's4')).toEqual({ status: 'claimed', epoch: 0 });
    });

    law('3. confirm succeeds only from the own claim at the epoch claimed', async ({ engine }) => {
      const doc = await hold(engine, 's1', 5);
      const seen = await engine.leases.read(doc);
      await engine.leases.claim(doc, seen, 's2');
      const { leases } = engine;
      const wrong = [
        { doc, session: 's1', claimedEpoch: 5, epoch: 6 },
        { doc, session: 's2', claimedEpoch: 4, epoch: 6 },
        { doc, session: 's2', claimedEpoch: 6, epoch: 7 },
        // A greater epoch is no argument: a dead claimant would steal the document back.
        { doc, session: 's1', claimedEpoch: 5, epoch: 1_000 },
      ];
      for (const confirmation of wrong) {
        expect(await leases.confirm(confirmation)).toBe('superseded');
      }
      expect(await leases.read(doc)).toEqual({ session: 's2', epoch: 5, state: 'claimed' });
      const right = { doc, session: 's2', claimedEpoch: 5, epoch: 6 };
      expect(await leases.confirm(right)).toBe('confirmed');
      expect(await leases.read(doc)).toEqual({ session: 's2', epoch: 6, state: 'held' });
      expect(await leases.confirm(right)).toBe('superseded');
    });

    law(
      '3. confirm of a document nobody claimed is superseded and writes nothing',
      async ({ engine }) => {
        const doc = freshId('doc');
        const confirmation = { doc, session: 's1', claimedEpoch: 0, epoch: 1 };
        expect(await engine.leases.confirm(confirmation)).toBe('superseded');
        expect(await engine.leases.read(doc)).toBeNull();
      },
    );

    law('4. release removes only the exact record', async ({ engine }) => {
      const doc = await hold(engine, 's1', 9);
      expect(await engine.leases.release(doc, 's2', 9, null)).toBe(false);
      expect(await engine.leases.release(doc, 's1', 8, null)).toBe(false);
      expect(await engine.leases.release(doc, 's1', 10, 's2')).toBe(false);
      expect(await engine.leases.read(doc)).toEqual({ session: 's1', epoch: 9, state: 'held' });
      expect(await engine.leases.release(doc, 's1', 9, null)).toBe(true);
      expect(await engine.leases.read(doc)).toBeNull();
      expect(await engine.leases.release(doc, 's1', 9, null)).toBe(false);
    });

    law('4. release never takes away the lease of the next owner', async ({ engine }) => {
      const doc = await hold(engine, 's1', 1);
      await engine.leases.claim(doc, await engine.leases.read(doc), 's2');
      expect(await engine.leases.release(doc, 's1', 1, null)).toBe(false);
      await engine.leases.confirm({ doc, session: 's2', claimedEpoch: 1, epoch: 2 });
      expect(await engine.leases.release(doc, 's1', 1, 's3')).toBe(false);
      expect(await engine.leases.read(doc)).toEqual({ session: 's2', epoch: 2, state: 'held' });
    });

    law('4. release to a successor leaves a record that it can claim', async ({ engine }) => {
      const doc = await hold(engine, 's1', 3);
      expect(await engine.leases.release(doc, 's1', 3, 's2')).toBe(true);
      const handed: LeaseRecord = { session: 's2', epoch: 3, state: 'handed' };
      expect(await engine.leases.read(doc)).toEqual(handed);
      // It is not the successor's yet: it can neither be confirmed nor released.
      const confirmation = { doc, session: 's2', claimedEpoch: 3, epoch: 4 };
      expect(await engine.leases.confirm(confirmation)).toBe('superseded');
      expect(await engine.leases.claim(doc, handed, 's2')).toEqual({ status: 'claimed', epoch: 3 });
      expect(await engine.leases.confirm(confirmation)).toBe('confirmed');
    });

    law('5. sweep removes every record of the dead session and no other', async (fixture) => {
      const { leases } = fixture.engine;
      const another = await fixture.openAnother();
      const [dead, alive] = [freshId('dead'), freshId('alive')];
      const docs = Array.from({ length: 600 }, () => freshId('doc'));
      await Promise.all(docs.map((doc, i) => leases.claim(doc, null, i % 3 ? dead : alive)));
      const handed = await hold(fixture.engine, alive, 4);
      await leases.release(handed, alive, 4, dead);
      const held = await hold(fixture.engine, dead, 2);
      // A name that the dead one's begins with is another name.
      const similar = await hold(fixture.engine, `${dead}x`, 2);
      let removed = 0;
      let next: string | null = null;
      let steps = 0;
      do {
        const step = await another.leases.sweep(dead, next);
        removed += step.removed;
        next = step.next;
        steps += 1;
        expect(steps).toBeLessThan(100_000);
      } while (next !== null);
      expect(removed).toBe(402);
      for (const doc of [handed, held]) expect(await leases.read(doc)).toBeNull();
      expect(await leases.read(similar)).toMatchObject({ session: `${dead}x` });
      const left = await Promise.all(docs.map((doc) => leases.read(doc)));
      expect(left.map((record) => record?.session)).toEqual(
        docs.map((_, i) => (i % 3 ? undefined : alive)),
      );
      expect((await leases.sweep(dead, null)).removed).toBe(0);
    });

    law(
      '6. any document name up to the limit is kept apart from every other',
      async ({ engine }) => {
        const docs = [...new Set(trickyNames)];
        for (const [i, doc] of docs.entries()) {
          expect(await engine.leases.read(doc)).toBeNull();
          expect(await engine.leases.claim(doc, null, `s${i}`)).toMatchObject({
            status: 'claimed',
          });
        }
        for (const [i, doc] of docs.entries()) {
          expect(await engine.leases.read(doc)).toMatchObject({ session: `s${i}` });
        }
      },
    );

    law('7. who has to be living and is dead can neither claim nor be handed', async (fixture) => {
      const { leases, sessions } = fixture.engine;
      const [owner, dead] = [await openSession(fixture.engine), await openSession(fixture.engine)];
      expect(await sessions.fence(dead, 0, 'fenced')).toBe('fenced');
      for (const nobody of [dead, freshId('never-opened')]) {
        const doc = freshId('doc');
        expect(await leases.claim(doc, null, nobody, 'living')).toEqual({ status: 'dead' });
        expect(await leases.read(doc)).toBeNull();
        const claimed = { status: 'claimed', epoch: 0 };
        expect(await leases.claim(doc, null, owner, 'living')).toEqual(claimed);
        const seen = await leases.read(doc);
        expect(await leases.claim(doc, seen, nobody, 'living')).toEqual({ status: 'dead' });
        expect(await leases.read(doc)).toEqual(seen);
        // It is given up all the same: the owner has forgotten it already.
        expect(await leases.release(doc, owner, 0, nobody, 'living')).toBe(true);
        expect(await leases.read(doc)).toBeNull();
        expect(await leases.release(doc, owner, 0, nobody, 'living')).toBe(false);
      }
    });

    law('7. who has to be living and is can claim and be handed', async (fixture) => {
      const { leases } = fixture.engine;
      const [owner, heir] = [await openSession(fixture.engine), await openSession(fixture.engine)];
      const doc = freshId('doc');
      expect(await leases.claim(doc, null, owner, 'living')).toMatchObject({ status: 'claimed' });
      expect(await leases.release(doc, heir, 0, owner, 'living')).toBe(false);
      expect(await leases.release(doc, owner, 0, heir, 'living')).toBe(true);
      const handed: LeaseRecord = { session: heir, epoch: 0, state: 'handed' };
      expect(await leases.read(doc)).toEqual(handed);
      expect(await leases.claim(doc, null, heir, 'living')).toEqual({
        ...{ status: 'conflict', current: handed },
      });
      expect(await leases.claim(doc, handed, heir, 'living')).toMatchObject({ status: 'claimed' });
    });

    law('1 to 4. any run of changes ends as it does in a plain map', async ({ engine }) => {
      await fc.assert(
        fc.asyncProperty(fc.array(leaseStep, { minLength: 1, maxLength: 40 }), async (steps) => {
          const model = new LeaseModel();
          const stem = freshId('doc');
          for (const step of steps) {
            const doc = `${stem}-${step.doc}`;
            expect(await perform(engine, doc, step)).toEqual(model.perform(doc, step));
            expect(await engine.leases.read(doc)).toEqual(model.records.get(doc) ?? null);
          }
        }),
        { numRuns: 25 },
      );
    });
  });
}

/** A session that lives for longer than any law. */
async function openSession({ sessions }: Engine): Promise<string> {
  const id = freshId('session');
  await sessions.open({ id, token: 'token', ttlMs: 60_000, description: someDescription });
  return id;
}

/** A fresh document held at an epoch: by claiming it twice from what another left. */
async function hold(engine: Engine, session: string, epoch: number): Promise<string> {
  const doc = freshId('doc');
  const seen = await engine.leases.read(doc);
  await engine.leases.claim(doc, seen, session);
  const confirmation = { doc, session, claimedEpoch: seen?.epoch ?? 0, epoch };
  expect(await engine.leases.confirm(confirmation)).toBe('confirmed');
  return doc;
}

const session = fc.constantFrom('s1', 's2', 's3');
const epoch = fc.integer({ min: 0, max: 3 });
const state = fc.constantFrom<LeaseState>('claimed', 'held', 'handed');
const doc = fc.constantFrom('a', 'b');

/** `seen`: the record as it is, or one made up. */
const leaseStep = fc.oneof(
  fc.record({
    kind: fc.constant('claim' as const),
    doc,
    session,
    seen: fc.oneof(
      { weight: 3, arbitrary: fc.constant('current' as const) },
      fc.constant(null),
      fc.record({ session, epoch, state }),
    ),
  }),
  fc.record({ kind: fc.constant('confirm' as const), doc, session, claimedEpoch: epoch, epoch }),
  fc.record({
    kind: fc.constant('release' as const),
    doc,
    session,
    epoch,
    successor: fc.option(session),
  }),
);

type LeaseStep = typeof leaseStep extends fc.Arbitrary<infer Step> ? Step : never;

async function perform(engine: Engine, doc: string, step: LeaseStep): Promise<unknown> {
  const { leases } = engine;
  switch (step.kind) {
    case 'claim': {
      const seen = step.seen === 'current' ? await leases.read(doc) : step.seen;
      return leases.claim(doc, seen, step.session);
    }
    case 'confirm':
      return leases.confirm({ ...step, doc });
    case 'release':
      return leases.release(doc, step.session, step.epoch, step.successor);
  }
}

class LeaseModel {
  readonly records = new Map<string, LeaseRecord>();

  perform(doc: string, step: LeaseStep): unknown {
    const current = this.records.get(doc) ?? null;
    const is = (session: string, epoch: number, ...states: LeaseState[]) =>
      current?.session === session && current.epoch === epoch && states.includes(current.state);
    switch (step.kind) {
      case 'claim': {
        const seen = step.seen === 'current' ? current : step.seen;
        const same = seen ? is(seen.session, seen.epoch, seen.state) : current === null;
        if (!same) return { status: 'conflict', current };
        const epoch = seen?.epoch ?? 0;
        this.records.set(doc, { session: step.session, epoch, state: 'claimed' });
        return { status: 'claimed', epoch };
      }
      case 'confirm':
        if (!is(step.session, step.claimedEpoch, 'claimed')) return 'superseded';
        this.records.set(doc, { session: step.session, epoch: step.epoch, state: 'held' });
        return 'confirmed';
      case 'release': {
        if (!is(step.session, step.epoch, 'claimed', 'held')) return false;
        const { successor, epoch } = step;
        if (successor) this.records.set(doc, { session: successor, epoch, state: 'handed' });
        else this.records.delete(doc);
        return true;
      }
    }
  }
}
