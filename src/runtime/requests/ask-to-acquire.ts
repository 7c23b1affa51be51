import type { Requester } from './requester.ts';

/** Asks the node of a session to take a document that was handed to it. */
export async function askToAcquire(
  requester: Requester,
  session: string,
  doc: string,
  remainingMs: number,
): Promise<{ epoch: number }> {
  const reply = await requester.send({
    session,
    plane: 'control',
    method: 'lease.acquire',
    doc: null,
    direct: true,
    hops: 0,
    payload: Buffer.from(JSON.stringify({ doc })),
    remainingMs,
  });
  return JSON.parse(Buffer.from(reply.payload).toString('utf8'));
}
