import { type BenchGround, type BenchWork, documentNames, type WorkPlan } from '../bench-work.ts';

/** Becoming the owner of a document, fenced in the store, and giving it up: by a node in this process. */
export async function openLeaseWork(ground: BenchGround, plan: WorkPlan): Promise<BenchWork> {
  const node = await ground.host();
  const documents = Math.max(plan.documents, plan.lanes);
  // Nobody acquires what somebody is just giving up; an open loop may need more than there are.
  const free = documentNames({ ...plan, documents });
  let more = documents;
  return {
    unit: 'leases',
    answers: true,
    async one() {
      const doc = free.pop() ?? `${plan.prefix}-${more++}`;
      try {
        await node.acquire(doc);
        await node.release(doc);
      } finally {
        free.unshift(doc);
      }
    },
    close: async () => {},
  };
}
