import { BackplaneError } from '../foundation/errors.ts';
import type { Caches } from './cache/caches.ts';
import { ControlDesk } from './control-desk.ts';
import { nodePulse } from './health/node-pulse.ts';
import { selfReport } from './health/self-report.ts';
import type { BackplaneNode } from './node.ts';
import type { NodeParts, NodeWorld } from './node-parts.ts';
import type { NodeSettings } from './node-settings.ts';
import { askToAcquire } from './requests/ask-to-acquire.ts';

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
    askToAcquire: (session, doc) => {
      const { requestTimeoutMs } = settings.dials;
      return askToAcquire(live().requester, session, doc, requestTimeoutMs);
    },
    report: async (probe) => {
      const readiness = probe ? await node.readiness() : null;
      return selfReport(world, settings, live(), { metrics: node.metrics(), readiness });
    },
    pulse: (question) => nodePulse(node.nodeId, node.metrics(), live(), question),
    feed: (doc) => live().feeds.feed(doc),
    drain: () => {
      const documents = live().documents.size;
      settings.drainRequested();
      return { documents };
    },
  });
}
