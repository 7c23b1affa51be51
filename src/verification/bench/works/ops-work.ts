import { type BenchGround, type BenchWork, documentNames, type WorkPlan } from '../bench-work.ts';
import { BenchPeers } from './bench-peers.ts';

/** Ops of peers, from sending one to the acknowledgement that it is stored for ever. */
export async function openOpsWork(ground: BenchGround, plan: WorkPlan): Promise<BenchWork> {
  const docs = documentNames(plan);
  // A peer for each op that is under way: those of one peer are stored in order.
  const perDocument = Math.ceil(Math.max(docs.length, plan.lanes) / docs.length);
  const peers = BenchPeers.open(ground, Math.ceil(perDocument / ground.urls.length));
  await peers.claim(docs, ground.signal);
  const handles = Array.from({ length: docs.length * perDocument }, (_, at) => {
    const turn = Math.floor(at / docs.length);
    return peers.at((at % docs.length) + turn).open(docs[at % docs.length] as string);
  });
  const close = () => {
    for (const handle of handles) handle.close();
  };
  ground.signal.addEventListener('abort', close, { once: true });
  const payload = 'x'.repeat(plan.payloadBytes);
  return {
    unit: 'ops',
    answers: true,
    async one(index) {
      await handles[index % handles.length]?.send(payload);
    },
    async close() {
      ground.signal.removeEventListener('abort', close);
      close();
      await peers.close();
    },
  };
}
