import { BackplaneError } from '../../../foundation/errors.ts';
import { type BenchGround, type BenchWork, documentNames, type WorkPlan } from '../bench-work.ts';
import { BenchPeers } from './bench-peers.ts';

/** Calls `ping` at the owners of documents, from outside the cluster: over the backplane and back. */
export async function openRpcWork(ground: BenchGround, plan: WorkPlan): Promise<BenchWork> {
  const docs = documentNames(plan);
  const peers = BenchPeers.open(ground);
  try {
    await peers.claim(docs, ground.signal);
  } finally {
    await peers.close();
  }
  const payload = new TextEncoder().encode(JSON.stringify('x'.repeat(plan.payloadBytes)));
  const { visitor, signal } = ground;
  return {
    unit: 'calls',
    answers: true,
    async one(index) {
      const doc = docs[index % docs.length] as string;
      const report = await visitor.request({ kind: 'doc', doc }, 'ping', payload, { signal });
      const [reply] = report.replies;
      if (reply?.ok) return;
      if (reply?.error) throw new BackplaneError(reply.error.code, reply.error.message);
      throw new BackplaneError('DEADLINE_EXCEEDED', 'the owner did not answer');
    },
    close: async () => {},
  };
}
