import { BackplaneError } from '../foundation/errors.ts';
import type { Caches } from './cache/caches.ts';
import { ControlDesk } from './control-desk.ts';
import type { BackplaneNode } from './node.ts';
import type { NodeParts, NodeWorld } from './node-parts.ts';
import type { NodeSettings } from './node-settings.ts';

/** The control desk of a node: each control does what the node's own door does. */
export function nodeControls(
  node: BackplaneNode,
  world: NodeWorld,
  settings: NodeSettings,
  live: () => NodeParts,
  caches: Caches,
): ControlDesk {
  return new ControlDesk({
    nodeId: node.nodeId,
    store: world.store,
    caches,
    awareness: () => live().awareness,
    presence: () => live().presence,
    relay: () => live().relay,
    session: () => live().keeper.require(),
    readState: (doc) => node.readState(doc),
    acquire: (doc) => node.acquire(doc),
    release: (doc, successor) => node.release(doc, successor),
    requireLive: async (session) => {
      const found = (await live().nodes.list('fresh')).find(({ id }) => id === session);
      if (found) return { nodeId: found.description.nodeId };
      throw new BackplaneError('NODE_DEAD', `the session ${session} is not alive`);
    },
    askToAcquire: (session, doc) => askToAcquire(live(), settings, session, doc),
    drain: () => {
      const documents = live().documents.size;
      settings.drainRequested();
      return { documents };
    },
  });
}

async function askToAcquire(
  { requester }: NodeParts,
  settings: NodeSettings,
  session: string,
  doc: string,
): Promise<{ epoch: number }> {
  const reply = await requester.send({
    session,
    plane: 'control',
    method: 'lease.acquire',
    doc: null,
    direct: true,
    hops: 0,
    payload: Buffer.from(JSON.stringify({ doc })),
    remainingMs: settings.dials.requestTimeoutMs,
  });
  return JSON.parse(Buffer.from(reply.payload).toString('utf8'));
}
