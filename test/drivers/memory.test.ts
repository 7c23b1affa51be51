import { MemoryBroker } from '../../src/drivers/memory/memory-broker.ts';
import { openMemoryEngine } from '../../src/drivers/memory/memory-engine.ts';
import { MemoryLogs, MemoryStore } from '../../src/drivers/memory/memory-store.ts';
import type { Engine } from '../../src/ports/engine.ts';
import { SeededRandom } from '../../src/verification/seeded-random.ts';
import { busLaws } from '../conformance/bus.ts';
import { cacheRecordsLaws } from '../conformance/cache-records.ts';
import { clusterRecordLaws } from '../conformance/cluster-record.ts';
import type { EngineFixture } from '../conformance/engine-fixture.ts';
import { inspectorLaws } from '../conformance/inspector.ts';
import { leasesLaws } from '../conformance/leases.ts';
import { registryLaws } from '../conformance/registry.ts';
import { sessionsLaws } from '../conformance/sessions.ts';
import { storeLaws } from '../conformance/store.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

async function openEngine(): Promise<EngineFixture> {
  const clock = new VirtualClock();
  const broker = new MemoryBroker(clock, new SeededRandom(1));
  const engines: Engine[] = [openMemoryEngine(broker)];
  return {
    engine: engines[0]!,
    pass: (ms) => clock.advance(ms),
    openAnother: async () => {
      const another = openMemoryEngine(broker);
      engines.push(another);
      return another;
    },
    wipe: async () => broker.wipe(),
    interrupt: async () => broker.interrupt(),
    stopAnswering: async () => broker.stopAnswering(),
    close: async () => {
      for (const engine of engines) await engine.close();
    },
  };
}

busLaws('local:', openEngine);
sessionsLaws('local:', openEngine);
leasesLaws('local:', openEngine);
registryLaws('local:', openEngine);
clusterRecordLaws('local:', openEngine);
cacheRecordsLaws('local:', openEngine);
inspectorLaws('local:', openEngine, { pageRowsMax: 500 });

storeLaws('memory:', async () => {
  const logs = new MemoryLogs(new SeededRandom(2));
  const store = new MemoryStore(logs);
  const clock = new VirtualClock();
  return {
    store,
    pass: (ms) => clock.advance(ms),
    openAnother: async () => new MemoryStore(logs),
    close: () => store.close(),
  };
});
