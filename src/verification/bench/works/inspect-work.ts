import { listLeases } from '../../../operations/inspect/list-leases.ts';
import { type BenchGround, type BenchWork, documentNames, type WorkPlan } from '../bench-work.ts';
import { LatencyRecord } from '../latency-record.ts';
import { BenchPeers } from './bench-peers.ts';

/** Listings of all leases, of these documents and of all others, from asking to the last row. */
export async function openInspectWork(ground: BenchGround, plan: WorkPlan): Promise<BenchWork> {
  const { engine, clock } = ground;
  const peers = BenchPeers.open(ground);
  await peers.claim(documentNames(plan), ground.signal);
  const first = new LatencyRecord();
  let rows = 0;
  return {
    unit: 'listings',
    answers: true,
    async one() {
      const startMs = clock.monotonicMs();
      let seen = 0;
      for await (const page of listLeases(engine)) {
        if (seen === 0) first.add(clock.monotonicMs() - startMs);
        seen += page.length;
      }
      rows = seen;
    },
    extras: () => ({ rows, firstRowP50Ms: first.figures().p50Ms }),
    close: () => peers.close(),
  };
}
