import { connect } from '../../client/index.ts';
import { BackplaneError } from '../../foundation/errors.ts';
import type { BenchCluster } from './bench-cluster.ts';
import { BenchTally } from './bench-tally.ts';
import { type BenchGround, documentNames, type WorkPlan } from './bench-work.ts';
import { BenchPeers } from './works/bench-peers.ts';

const askedAtOnce = 64;

/** How long after the death of their owner each document took an op again. */
export interface TakeoverMeasured {
  readonly tally: BenchTally;
  readonly ranMs: number;
  readonly extras: Readonly<Record<string, number>>;
}

/**
 * One node of several owns all documents, and is killed; an op for each of them is sent through
 * another node. Its latency counts from the kill.
 */
export async function measureTakeover(
  cluster: BenchCluster,
  ground: BenchGround,
  plan: WorkPlan,
): Promise<TakeoverMeasured> {
  const { clock, token, signal, random } = ground;
  const [owner, next] = cluster.nodes;
  if (!owner || !next) throw new BackplaneError('USAGE', 'a takeover takes two nodes');
  const docs = documentNames(plan);
  const owning = BenchPeers.open({ ...ground, urls: [owner.address] });
  await owning.claim(docs, signal);
  const client = connect({ urls: [next.address], token, clock, random });
  const tally = new BenchTally();
  try {
    owner.kill();
    const killedMs = clock.monotonicMs();
    tally.measure(killedMs, killedMs + 1);
    const waiting = docs.values();
    const askSome = async () => {
      for (const doc of waiting) {
        if (signal.aborted) return;
        const handle = client.open(doc);
        const close = () => handle.close();
        signal.addEventListener('abort', close, { once: true });
        try {
          await handle.send('x'.repeat(plan.payloadBytes));
          tally.succeeded(killedMs, clock.monotonicMs());
        } catch (error) {
          tally.failedWith(killedMs, error);
        } finally {
          signal.removeEventListener('abort', close);
          close();
        }
      }
    };
    await Promise.all(Array.from({ length: askedAtOnce }, askSome));
    const { minMs, maxMs } = tally.latency.figures();
    const ranMs = clock.monotonicMs() - killedMs;
    return { tally, ranMs, extras: { firstAnswerMs: minMs, lastAnswerMs: maxMs } };
  } finally {
    await Promise.all([client.close(), owning.close()]);
  }
}
