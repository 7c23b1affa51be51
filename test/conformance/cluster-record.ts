import { expect } from 'vitest';
import type { ClusterRecord } from '../../src/ports/cluster-record.ts';
import { type EngineFixture, freshId, type OpenEngineFixture } from './engine-fixture.ts';
import { type LawOptions, lawSuite, needs, until } from './law-suite.ts';

/** The laws of `ports/cluster-record.ts`. */
export function clusterRecordLaws(
  name: string,
  open: OpenEngineFixture,
  options: LawOptions = {},
): void {
  lawSuite<EngineFixture>(`the cluster record of ${name}`, open, options, (law) => {
    law(
      '1. the first to agree writes its proposal; every later one gets what is there',
      async (fixture) => {
        const another = await fixture.openAnother();
        const first = proposal();
        expect(await fixture.engine.clusterRecords.agree(first)).toEqual(first);
        expect(await another.clusterRecords.agree(proposal())).toEqual(first);
        expect(await fixture.engine.clusterRecords.agree(proposal())).toEqual(first);
        expect(await another.clusterRecords.read()).toEqual(first);
      },
    );

    law('1. an engine that lost its data agrees anew', async (fixture) => {
      const wipe = needs(fixture.wipe, 'lose its data');
      const { clusterRecords } = fixture.engine;
      await clusterRecords.agree(proposal());
      await wipe.call(fixture);
      await until(fixture, 'the engine to answer again', () => {
        return clusterRecords.read().then(
          (record) => record === null,
          () => false,
        );
      });
      const second = proposal();
      expect(await clusterRecords.agree(second)).toEqual(second);
    });

    law('2. of many at once, all get the same record', async (fixture) => {
      const another = await fixture.openAnother();
      const proposals = Array.from({ length: 8 }, proposal);
      const agreed = await Promise.all(
        proposals.map((one, i) => (i % 2 ? another : fixture.engine).clusterRecords.agree(one)),
      );
      expect(proposals).toContainEqual(agreed[0]);
      for (const record of agreed) expect(record).toEqual(agreed[0]);
    });

    law('4. a record is replaced only by who saw it', async (fixture) => {
      const another = await fixture.openAnother();
      const { clusterRecords } = fixture.engine;
      const first = await clusterRecords.agree(proposal());
      const [second, third] = [proposal(), proposal()];
      expect(await clusterRecords.replace(first, second)).toEqual(second);
      expect(await another.clusterRecords.read()).toEqual(second);
      expect(await another.clusterRecords.replace(first, third)).toEqual(second);
      expect(await clusterRecords.read()).toEqual(second);
      expect(await another.clusterRecords.replace(second, third)).toEqual(third);
    });

    law('4. of many that replace one record at once, all get the same', async (fixture) => {
      const another = await fixture.openAnother();
      const seen = await fixture.engine.clusterRecords.agree(proposal());
      const proposals = Array.from({ length: 8 }, proposal);
      const found = await Promise.all(
        proposals.map((one, i) =>
          (i % 2 ? another : fixture.engine).clusterRecords.replace(seen, one),
        ),
      );
      expect(proposals).toContainEqual(found[0]);
      for (const record of found) expect(record).toEqual(found[0]);
    });

    law('3. read writes nothing', async (fixture) => {
      const another = await fixture.openAnother();
      expect(await fixture.engine.clusterRecords.read()).toBeNull();
      expect(await another.clusterRecords.read()).toBeNull();
      const first = proposal();
      expect(await another.clusterRecords.agree(first)).toEqual(first);
      expect(await fixture.engine.clusterRecords.read()).toEqual(first);
    });
  });
}

function proposal(): ClusterRecord {
  return {
    id: freshId('cluster'),
    buckets: 8_192,
    storeIdentity: freshId('store'),
    documentEngine: 'json',
  };
}
