import { sleep } from '../../../ports/clock.ts';
import type { BenchTally } from '../bench-tally.ts';
import type { BenchGround, BenchWork, WorkPlan } from '../bench-work.ts';
import { arrived, DeliveryGround } from './delivery-ground.ts';

/** Awareness is sent at least this often while it changes; the last one of all is on its way then. */
const lastWordMs = 500;

/**
 * Changes of awareness, from making one to each peer that sees it. Of changes that follow each
 * other quickly only the latest travels: `sent` says how many were made.
 */
export async function openAwarenessWork(
  ground: BenchGround,
  plan: WorkPlan,
  tally: BenchTally,
): Promise<BenchWork> {
  const { clock, signal } = ground;
  const place = await DeliveryGround.open(ground, plan);
  let sent = 0;
  for (const hearer of place.hearers) {
    hearer.on('awareness', ({ state }) => arrived(state, tally, clock));
  }
  const pad = 'x'.repeat(plan.payloadBytes);
  return {
    unit: 'deliveries',
    answers: false,
    async one(index, meantMs) {
      place.speakers[index % place.speakers.length]?.setAwareness({ meantMs, pad });
      if (tally.counts(meantMs)) sent += 1;
      // It has no answer to wait for: a closed loop would run away.
      await sleep(clock, 1, signal);
    },
    settle: () => sleep(clock, lastWordMs, signal),
    extras: () => ({ sent }),
    close: () => place.close(),
  };
}
