import { expect } from 'vitest';
import {
  type EngineFixture,
  freshId,
  type OpenEngineFixture,
  someDescription,
} from './engine-fixture.ts';
import { collect, failureOf, type LawOptions, lawSuite } from './law-suite.ts';

export interface InspectorLawOptions extends LawOptions {
  /** The largest page the driver may hand out. */
  readonly pageRowsMax?: number;
}

/** The laws of `ports/inspector.ts`. */
export function inspectorLaws(
  name: string,
  open: OpenEngineFixture,
  options: InspectorLawOptions = {},
): void {
  const pageRowsMax = options.pageRowsMax ?? 1_000;
  lawSuite<EngineFixture>(`the inspector of ${name}`, open, options, (law, scaleMs) => {
    law('1. leases yields every record once, in pages of bounded size', async (fixture) => {
      const { leases } = fixture.engine;
      const { inspector } = await fixture.openAnother();
      expect(await collect(inspector.leases())).toEqual([]);
      const docs = Array.from({ length: 3_000 }, () => freshId('doc'));
      for (let from = 0; from < docs.length; from += 500) {
        const some = docs.slice(from, from + 500);
        await Promise.all(some.map((doc) => leases.claim(doc, null, 's1')));
      }
      await leases.confirm({ doc: docs[0]!, session: 's1', claimedEpoch: 0, epoch: 12 });
      await leases.release(docs[1]!, 's1', 0, 's2');
      const rows = [];
      for await (const page of inspector.leases()) {
        expect(page.length).toBeGreaterThan(0);
        expect(page.length).toBeLessThanOrEqual(pageRowsMax);
        rows.push(...page);
      }
      expect(rows.map((row) => row.doc).sort()).toEqual([...docs].sort());
      const rowOf = new Map(rows.map((row) => [row.doc, row]));
      expect(rowOf.get(docs[0]!)).toEqual({
        doc: docs[0],
        session: 's1',
        epoch: 12,
        state: 'held',
      });
      expect(rowOf.get(docs[1]!)).toEqual({
        doc: docs[1],
        session: 's2',
        epoch: 0,
        state: 'handed',
      });
      expect(rowOf.get(docs[2]!)).toEqual({
        doc: docs[2],
        session: 's1',
        epoch: 0,
        state: 'claimed',
      });
    });

    law('1. a listing that is abandoned half-way does no harm', async ({ engine }) => {
      await engine.leases.claim(freshId('doc'), null, 's1');
      for await (const page of engine.inspector.leases()) {
        expect(page).toHaveLength(1);
        break;
      }
      expect(await collect(engine.inspector.leases())).toHaveLength(1);
    });

    law(
      '2. channels yields every channel somebody subscribes to, with how many do',
      async (fixture) => {
        const { engine } = fixture;
        const another = await fixture.openAnother();
        const [one, two, left] = ['doc:', 'inbox:', 'doc:'].map(
          (kind) => kind + freshId('channel'),
        );
        await engine.bus.subscribe(one!, () => {});
        await engine.bus.subscribe(two!, () => {});
        await another.bus.subscribe(two!, () => {});
        await (await another.bus.subscribe(left!, () => {})).close();
        const rows = await collect(another.inspector.channels());
        const receivers = new Map(rows.map((row) => [row.channel, row.receivers]));
        expect(receivers.get(one!)).toBe(1);
        expect(receivers.get(two!)).toBe(2);
        expect(receivers.has(left!)).toBe(false);
        expect(new Set(rows.map((row) => row.channel)).size).toBe(rows.length);
      },
    );

    law('3. reading changes nothing', async ({ engine }) => {
      const [doc, session] = [freshId('doc'), freshId('session')];
      await engine.leases.claim(doc, null, session);
      const ttlMs = 100 * scaleMs;
      await engine.sessions.open({ id: session, token: 't', ttlMs, description: someDescription });
      const look = async () => {
        const {
          lastBeatAgoMs: _ago,
          expiresInMs: _left,
          ...record
        } = (await engine.sessions.read(session))!;
        const leases = await collect(engine.inspector.leases());
        const channels = await collect(engine.inspector.channels());
        return { record, leases, channels, cluster: await engine.clusterRecords.read() };
      };
      const first = await look();
      expect(await look()).toEqual(first);
      expect(first.leases).toEqual([{ doc, session, epoch: 0, state: 'claimed' }]);
      expect(await engine.leases.read(doc)).toEqual({ session, epoch: 0, state: 'claimed' });
      expect(first.record).toMatchObject({ state: 'live', beat: 0 });
      expect(first.cluster).toBeNull();
    });

    law('ping answers the time of one round trip', async (fixture) => {
      const tookMs = await fixture.engine.inspector.ping();
      expect(tookMs).toBeGreaterThanOrEqual(0);
      expect(tookMs).toBeLessThan(5_000);
      const another = await fixture.openAnother();
      await another.close();
      expect(await failureOf(() => another.inspector.ping())).toMatchObject({ code: 'CLOSED' });
    });
  });
}
