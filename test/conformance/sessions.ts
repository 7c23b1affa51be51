import { expect } from 'vitest';
import { dials, protocol } from '../../src/foundation/limits.ts';
import type { Engine } from '../../src/ports/engine.ts';
import type { DeathCause } from '../../src/ports/sessions.ts';
import {
  type EngineFixture,
  freshId,
  type OpenEngineFixture,
  someDescription,
  someVitals,
} from './engine-fixture.ts';
import { failureOf, type LawOptions, lawSuite, needs, until } from './law-suite.ts';

/** The laws of `ports/sessions.ts`. */
export function sessionsLaws(
  name: string,
  open: OpenEngineFixture,
  options: LawOptions = {},
): void {
  lawSuite<EngineFixture>(`the sessions of ${name}`, open, options, (law, scaleMs) => {
    const ttlMs = 3 * scaleMs;

    law('1. an id is opened at most once, by whomever', async (fixture) => {
      const another = await fixture.openAnother();
      const id = await openSession(fixture.engine, ttlMs);
      for (const engine of [fixture.engine, another]) {
        expect(await failureOf(() => openSession(engine, ttlMs, id))).toMatchObject({
          code: 'SESSION_TAKEN',
        });
      }
    });

    law('1. of two who open one id at once, one is refused', async (fixture) => {
      const another = await fixture.openAnother();
      const id = freshId('session');
      const outcomes = await Promise.allSettled([
        openSession(fixture.engine, ttlMs, id, 'token-1'),
        openSession(another, ttlMs, id, 'token-2'),
      ]);
      const states = outcomes.map((outcome) => outcome.status).sort();
      expect(states).toEqual(['fulfilled', 'rejected']);
    });

    law('1. a fenced, left or expired id is never opened again', async ({ engine, pass }) => {
      const fenced = await openSession(engine, ttlMs);
      const left = await openSession(engine, ttlMs);
      const expired = await openSession(engine, ttlMs);
      expect(await engine.sessions.fence(fenced, 0, 'fenced')).toBe('fenced');
      expect(await engine.sessions.fence(left, 0, 'left')).toBe('fenced');
      await pass(ttlMs + scaleMs);
      for (const id of [fenced, left, expired]) {
        expect(await failureOf(() => openSession(engine, ttlMs, id))).toMatchObject({
          code: 'SESSION_TAKEN',
        });
        expect((await engine.sessions.read(id))?.state).toBe('dead');
      }
    });

    law('1. an id that was fenced before it was opened cannot be opened', async ({ engine }) => {
      const id = freshId('session');
      expect(await engine.sessions.fence(id, 0, 'fenced')).toBe('dead');
      expect(await failureOf(() => openSession(engine, ttlMs, id))).toMatchObject({
        code: 'SESSION_TAKEN',
      });
    });

    law('1. what was opened is read back as it was described', async (fixture) => {
      const another = await fixture.openAnother();
      const id = freshId('session');
      const description = { ...someDescription, nodeId: 'node-b', address: null };
      await fixture.engine.sessions.open({ id, token: 'secret', ttlMs, description });
      const record = await another.sessions.read(id);
      expect(record).toMatchObject({ id, state: 'live', cause: null, beat: 0, description });
      expect(record!.lastBeatAgoMs).toBeLessThan(ttlMs);
      expect(record!.expiresInMs).toBeGreaterThan(0);
      expect(record!.expiresInMs).toBeLessThanOrEqual(ttlMs);
      expect(JSON.stringify(record)).not.toContain('secret');
      expect(await another.sessions.read(freshId('session'))).toBeNull();
    });

    law('2. renew extends a live session and keeps its vitals', async ({ engine, pass }) => {
      const id = await openSession(engine, ttlMs);
      for (let beat = 1; beat <= 4; beat++) {
        await pass(2 * scaleMs);
        expect((await renew(engine, id, beat, ttlMs)).status).toBe('renewed');
      }
      expect(await engine.sessions.read(id)).toMatchObject({
        state: 'live',
        beat: 4,
        vitals: someVitals,
        description: someDescription,
      });
    });

    law(
      '2. renew with the token of another is dead, and extends nothing',
      async ({ engine, pass }) => {
        const id = await openSession(engine, ttlMs);
        await pass(2 * scaleMs);
        expect(await renew(engine, id, 1, ttlMs, 'another')).toEqual({ status: 'dead' });
        expect(await engine.sessions.read(id)).toMatchObject({ beat: 0 });
        await pass(2 * scaleMs);
        expect((await engine.sessions.read(id))?.state).toBe('dead');
      },
    );

    law(
      '2. renew never brings back a session that expired, was fenced, or never was',
      async (fixture) => {
        const { engine, pass } = fixture;
        const fenced = await openSession(engine, ttlMs);
        const expired = await openSession(engine, ttlMs);
        await engine.sessions.fence(fenced, 0, 'fenced');
        await pass(ttlMs + scaleMs);
        const never = freshId('session');
        for (const id of [fenced, expired, never]) {
          for (const beat of [1, 2]) {
            expect(await renew(engine, id, beat, ttlMs)).toEqual({ status: 'dead' });
          }
        }
        expect((await engine.sessions.read(fenced))?.state).toBe('dead');
        expect((await engine.sessions.read(expired))?.state).toBe('dead');
        expect(await engine.sessions.read(never)).toBeNull();
      },
    );

    law(
      '3. a delayed renewal with an older beat is stale, and extends nothing',
      async (fixture) => {
        const { engine, pass } = fixture;
        const id = await openSession(engine, ttlMs);
        expect((await renew(engine, id, 5, ttlMs)).status).toBe('renewed');
        await pass(2 * scaleMs);
        for (const beat of [5, 4, 0]) {
          expect(await renew(engine, id, beat, ttlMs)).toEqual({ status: 'stale' });
        }
        expect(await engine.sessions.read(id)).toMatchObject({ beat: 5 });
        await pass(2 * scaleMs);
        expect((await engine.sessions.read(id))?.state).toBe('dead');
      },
    );

    law('4. fence kills only at the expected beat', async ({ engine }) => {
      const id = await openSession(engine, 10 * ttlMs);
      await renew(engine, id, 1, 10 * ttlMs);
      for (const beat of [0, 2, -1]) {
        expect(await engine.sessions.fence(id, beat, 'fenced')).toBe('renewed');
      }
      expect((await engine.sessions.read(id))?.state).toBe('live');
      expect(await engine.sessions.fence(id, 1, 'fenced')).toBe('fenced');
      expect(await engine.sessions.read(id)).toMatchObject({ state: 'dead', cause: 'fenced' });
    });

    law(
      '4. of two who fence at once one is told it killed, the other that it is dead',
      async (fixture) => {
        const another = await fixture.openAnother();
        const id = await openSession(fixture.engine, 10 * ttlMs);
        const answers = await Promise.all([
          fixture.engine.sessions.fence(id, 0, 'fenced'),
          another.sessions.fence(id, 0, 'fenced'),
        ]);
        expect(answers.sort()).toEqual(['dead', 'fenced']);
      },
    );

    law('4. the cause of a death is stable', async ({ engine, pass }) => {
      const causes: readonly DeathCause[] = ['left', 'fenced', 'expired'];
      for (const cause of causes) {
        const id = await openSession(engine, cause === 'expired' ? scaleMs : ttlMs);
        if (cause === 'expired') await pass(2 * scaleMs);
        await engine.sessions.fence(id, 0, cause === 'expired' ? 'fenced' : cause);
        for (const later of causes) expect(await engine.sessions.fence(id, 0, later)).toBe('dead');
        expect(await engine.sessions.read(id)).toMatchObject({ state: 'dead', cause });
      }
    });

    law('5. a session not renewed for its ttl is dead', async ({ engine, pass }) => {
      const short = await openSession(engine, 2 * scaleMs);
      const long = await openSession(engine, 100 * scaleMs);
      expect((await engine.sessions.read(short))?.state).toBe('live');
      await pass(3 * scaleMs);
      expect(await engine.sessions.read(short)).toMatchObject({
        state: 'dead',
        cause: 'expired',
        expiresInMs: 0,
      });
      expect((await engine.sessions.read(short))!.lastBeatAgoMs).toBeGreaterThanOrEqual(
        2 * scaleMs,
      );
      expect((await engine.sessions.read(long))?.state).toBe('live');
    });

    law('5. a renewal sets the time to live anew, also to less', async ({ engine, pass }) => {
      const id = await openSession(engine, 100 * scaleMs);
      await renew(engine, id, 1, scaleMs);
      await pass(2 * scaleMs);
      expect((await engine.sessions.read(id))?.state).toBe('dead');
    });

    law('6. boot stays while the engine keeps its data', async (fixture) => {
      const another = await fixture.openAnother();
      const first = await fixture.engine.sessions.open(opening(freshId('session'), ttlMs));
      const id = freshId('session');
      const second = await another.sessions.open(opening(id, ttlMs));
      expect(first.boot).not.toBe('');
      expect(second.boot).toBe(first.boot);
      expect(await renew(another, id, 1, ttlMs)).toMatchObject({ boot: first.boot });
    });

    law(
      '6. boot changes when the engine lost its data, and the sessions are dead',
      async (fixture) => {
        const wipe = needs(fixture.wipe, 'lose its data');
        const { engine } = fixture;
        const id = freshId('session');
        const { boot } = await engine.sessions.open(opening(id, 100 * ttlMs));
        await wipe.call(fixture);
        await until(fixture, 'the engine to answer again', () => answers(engine));
        expect(await renew(engine, id, 1, ttlMs)).toEqual({ status: 'dead' });
        expect(await engine.sessions.read(id)).toBeNull();
        const again = await engine.sessions.open(opening(freshId('session'), ttlMs));
        expect(again.boot).not.toBe(boot);
      },
    );

    law('7. renew answers the previous beat', async ({ engine }) => {
      const id = await openSession(engine, 10 * ttlMs);
      expect(await renew(engine, id, 1, ttlMs)).toMatchObject({ previousBeat: 0 });
      expect(await renew(engine, id, 2, ttlMs)).toMatchObject({ previousBeat: 1 });
      // An answer was lost in between.
      expect(await renew(engine, id, 7, ttlMs)).toMatchObject({ previousBeat: 2 });
    });

    law('8. list names live and dead sessions, each as read would', async (fixture) => {
      const { engine, pass } = fixture;
      const another = await fixture.openAnother();
      const expired = await openSession(engine, scaleMs);
      await pass(2 * scaleMs);
      const live = await openSession(another, 100 * scaleMs);
      const fenced = await openSession(engine, 100 * scaleMs);
      await engine.sessions.fence(fenced, 0, 'fenced');
      const states = (await engine.sessions.list()).map(
        (one) => `${one.id} ${one.state} ${one.cause}`,
      );
      expect(states.sort()).toEqual(
        [`${expired} dead expired`, `${live} live null`, `${fenced} dead fenced`].sort(),
      );
      for (const record of await engine.sessions.list()) {
        expect(record.description).toEqual(someDescription);
      }
    });

    law('8. a dead session is listed until its tombstone expires', async ({ engine, pass }) => {
      const id = await openSession(engine, scaleMs);
      await engine.sessions.fence(id, 0, 'left');
      await pass(5 * scaleMs);
      expect((await engine.sessions.list()).map((one) => one.id)).toContain(id);
      await pass((protocol.tombstoneTtls - 4) * scaleMs);
      expect((await engine.sessions.list()).map((one) => one.id)).not.toContain(id);
      expect((await engine.sessions.read(id))?.state).not.toBe('live');
    });

    law('9. a dead session is lent to one sweeper at a time', async (fixture) => {
      const { engine } = fixture;
      const another = await fixture.openAnother();
      const id = await openSession(engine, 100 * scaleMs);
      expect(await engine.sessions.takeSweep(ttlMs)).toBeNull();
      await engine.sessions.fence(id, 0, 'left');
      const lent = await Promise.all([
        engine.sessions.takeSweep(dials.leaseTtlMs),
        another.sessions.takeSweep(dials.leaseTtlMs),
      ]);
      expect(lent.filter((one) => one !== null)).toEqual([id]);
      expect(await engine.sessions.takeSweep(ttlMs)).toBeNull();
    });

    law('9. a sweeper that died is replaced when its time is over', async ({ engine, pass }) => {
      const id = await openSession(engine, 100 * scaleMs);
      await engine.sessions.fence(id, 0, 'fenced');
      expect(await engine.sessions.takeSweep(scaleMs)).toBe(id);
      await pass(2 * scaleMs);
      expect(await engine.sessions.takeSweep(ttlMs)).toBe(id);
    });

    law('9. a session whose sweep was finished is never handed out again', async (fixture) => {
      const { engine, pass } = fixture;
      const swept = await openSession(engine, 100 * scaleMs);
      const expired = await openSession(engine, scaleMs);
      await engine.sessions.fence(swept, 0, 'fenced');
      expect(await engine.sessions.takeSweep(scaleMs)).toBe(swept);
      await engine.sessions.finishSweep(swept);
      await engine.sessions.finishSweep(swept);
      await pass(2 * scaleMs);
      // The next is the one that has expired in the meantime.
      expect(await engine.sessions.takeSweep(dials.leaseTtlMs)).toBe(expired);
      expect(await engine.sessions.takeSweep(ttlMs)).toBeNull();
      await engine.sessions.finishSweep(expired);
      await pass(2 * scaleMs);
      expect(await engine.sessions.takeSweep(ttlMs)).toBeNull();
      expect((await engine.sessions.read(swept))?.state).toBe('dead');
    });

    law(
      '9. once lent to a sweeper, an expired session cannot be renewed',
      async ({ engine, pass }) => {
        const id = await openSession(engine, scaleMs);
        await pass(2 * scaleMs);
        expect(await engine.sessions.takeSweep(ttlMs)).toBe(id);
        expect(await renew(engine, id, 1, ttlMs)).toEqual({ status: 'dead' });
        expect(await engine.sessions.read(id)).toMatchObject({ state: 'dead', cause: 'expired' });
      },
    );
  });
}

const token = 'the-token-of-the-opener';

function opening(id: string, ttlMs: number, withToken = token) {
  return { id, token: withToken, ttlMs, description: someDescription };
}

async function openSession(
  engine: Engine,
  ttlMs: number,
  id = freshId('session'),
  withToken = token,
): Promise<string> {
  await engine.sessions.open(opening(id, ttlMs, withToken));
  return id;
}

function renew(engine: Engine, id: string, beat: number, ttlMs: number, withToken = token) {
  return engine.sessions.renew({ id, token: withToken, beat, ttlMs, vitals: someVitals });
}

async function answers(engine: Engine): Promise<boolean> {
  try {
    await engine.inspector.ping();
    return true;
  } catch {
    return false;
  }
}
