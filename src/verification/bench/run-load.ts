import type { Clock } from '../../ports/clock.ts';
import type { BenchTally } from './bench-tally.ts';

/** How the work comes: so many a second whatever becomes of them, or so many at once. */
export type LoadShape =
  | { readonly kind: 'open'; readonly rate: number }
  | { readonly kind: 'closed'; readonly concurrency: number };

export interface LoadPlan {
  readonly shape: LoadShape;
  readonly warmUpMs: number;
  readonly durationMs: number;
}

export interface LoadSite {
  readonly clock: Clock;
  readonly tally: BenchTally;
  readonly signal: AbortSignal;
  /**
   * One piece of work. `meantMs` is when it was to begin, by the monotonic clock; with `answers`,
   * its end is what is measured.
   */
  one(index: number, meantMs: number): Promise<void>;
  /** False when the work tells the tally by itself what arrived where. */
  readonly answers: boolean;
}

/** What is begun and has not ended: more would only measure the memory of this process. */
const underWayMax = 20_000;
const wakeMs = 1;

/**
 * Puts a load on something. In an open loop every piece of work has its time, and its latency is
 * counted from then on, also when this process or the cluster was too busy to begin it: a pause
 * shows in as many latencies as it should (Tene's "coordinated omission"). In a closed loop a piece
 * of work begins when another ends, so a pause hides all but a few of its victims.
 */
export async function runLoad(plan: LoadPlan, site: LoadSite): Promise<void> {
  const { clock, tally } = site;
  const startMs = clock.monotonicMs();
  const untilMs = startMs + plan.warmUpMs + plan.durationMs;
  const { shape } = plan;
  const isOpen = shape.kind === 'open';
  // A closed loop begins nothing after the end, unless it had begun nothing that counts.
  tally.measure(startMs + plan.warmUpMs, isOpen ? untilMs : Number.POSITIVE_INFINITY);
  if (isOpen) await openLoop(shape.rate, { startMs, untilMs }, site);
  else await closedLoop(shape.concurrency, untilMs, site);
}

async function openLoop(
  rate: number,
  { startMs, untilMs }: { readonly startMs: number; readonly untilMs: number },
  site: LoadSite,
): Promise<void> {
  const { clock, signal } = site;
  const all = Math.ceil(((untilMs - startMs) * rate) / 1_000);
  const underWay = new Set<Promise<void>>();
  await new Promise<void>((resolve) => {
    let next = 0;
    const begin = () => {
      const due = Math.min(all, Math.floor(((clock.monotonicMs() - startMs) * rate) / 1_000) + 1);
      for (; next < due && underWay.size < underWayMax; next++) {
        const one = measured(next, startMs + (next * 1_000) / rate, site);
        underWay.add(one);
        void one.then(() => underWay.delete(one));
      }
      if (next >= all || signal.aborted) resolve();
      else clock.after(wakeMs, begin);
    };
    begin();
  });
  await Promise.all(underWay);
}

async function closedLoop(concurrency: number, untilMs: number, site: LoadSite): Promise<void> {
  const { clock, signal, tally } = site;
  let next = 0;
  const loop = async () => {
    for (let counted = false; ; ) {
      const nowMs = clock.monotonicMs();
      if (signal.aborted || (nowMs >= untilMs && counted)) return;
      counted ||= tally.counts(nowMs);
      next += 1;
      await measured(next - 1, nowMs, site);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, loop));
}

async function measured(index: number, meantMs: number, site: LoadSite): Promise<void> {
  const { clock, tally } = site;
  try {
    await site.one(index, meantMs);
    if (site.answers) tally.succeeded(meantMs, clock.monotonicMs());
  } catch (error) {
    tally.failedWith(meantMs, error);
  }
}
