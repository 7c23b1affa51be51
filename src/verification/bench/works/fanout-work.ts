import { BackplaneError } from '../../../foundation/errors.ts';
import { sleep } from '../../../ports/clock.ts';
import type { BenchTally } from '../bench-tally.ts';
import type { BenchGround, BenchWork, WorkPlan } from '../bench-work.ts';
import { arrived, DeliveryGround } from './delivery-ground.ts';

const settleMsMax = 10_000;
const lookMs = 20;

/** Ops that many peers hear, from sending one to its arrival at each of them. */
export async function openFanoutWork(
  ground: BenchGround,
  plan: WorkPlan,
  tally: BenchTally,
): Promise<BenchWork> {
  const { clock, signal } = ground;
  const place = await DeliveryGround.open(ground, plan);
  let expected = 0;
  for (const hearer of place.hearers) {
    hearer.on('op', ({ payload }) => arrived(payload, tally, clock));
  }
  const pad = 'x'.repeat(plan.payloadBytes);
  return {
    unit: 'deliveries',
    answers: false,
    async one(index, meantMs) {
      const speaker = place.speakers[index % place.speakers.length];
      await speaker?.send({ meantMs, pad });
      if (tally.counts(meantMs)) expected += plan.followers;
    },
    async settle() {
      const untilMs = clock.monotonicMs() + settleMsMax;
      while (tally.done < expected && clock.monotonicMs() < untilMs && !signal.aborted) {
        await sleep(clock, lookMs);
      }
      const missing = expected - tally.done;
      const missed = new BackplaneError('DEADLINE_EXCEEDED', 'a delivery did not come');
      if (missing > 0) tally.failedWith(tally.fromMs, missed, missing);
    },
    close: () => place.close(),
  };
}
