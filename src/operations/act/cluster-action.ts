import type { Clock } from '../../ports/clock.ts';
import type { Leases } from '../../ports/leases.ts';
import type { Registry } from '../../ports/registry.ts';
import type { Sessions } from '../../ports/sessions.ts';
import type { Visitor } from '../../runtime/visitor.ts';
import { changeConnection } from './change-connection.ts';
import { drainNode } from './drain-node.ts';
import { evictNode } from './evict-node.ts';
import { moveLease } from './move-lease.ts';
import { releaseLease } from './release-lease.ts';

/** What an operator can do to what is selected on a screen. Nodes are named by session. */
export type ClusterAction =
  | { readonly kind: 'drain'; readonly session: string; readonly nodeId: string }
  | {
      readonly kind: 'evict';
      readonly session: string;
      readonly nodeId: string;
      /** The operator was told that it is alive, and wants it all the same. */
      readonly isAlive: boolean;
    }
  | { readonly kind: 'release'; readonly doc: string }
  | { readonly kind: 'kick'; readonly connection: string }
  | {
      readonly kind: 'move';
      readonly doc: string;
      /** A session. */
      readonly to: string;
      readonly nodeId: string;
    };

export interface ActionParts {
  readonly sessions: Sessions;
  readonly leases: Leases;
  readonly registry: Registry;
  readonly visitor: Visitor;
  readonly clock: Clock;
}

const drainMsMax = 60_000;
const kickReason = 'closed by an operator';

/** Does it, as the command of that name would, and answers in a sentence. Throws what that throws. */
export async function carryOut(parts: ActionParts, action: ClusterAction): Promise<string> {
  switch (action.kind) {
    case 'drain': {
      const { documents, cause } = await drainNode(parts, action.session, {
        timeoutMs: drainMsMax,
      });
      const ended = cause === 'left' ? 'has left' : `died (${cause})`;
      return `${action.nodeId} ${ended}; it owned ${documents} documents`;
    }
    case 'evict': {
      const { removed } = await evictNode(parts, action.session, { force: action.isAlive });
      return `${action.nodeId} was evicted; it left ${removed} leases`;
    }
    case 'kick': {
      const { id, nodeId } = await changeConnection(parts, action.connection, { kick: kickReason });
      return `${nodeId} has closed ${id}`;
    }
    case 'release': {
      const { nodeId, epoch } = await releaseLease(parts, action.doc);
      return `${nodeId} has released ${action.doc} at epoch ${epoch}`;
    }
    case 'move': {
      const { fromNodeId, nodeId, epoch, moved } = await moveLease(parts, action.doc, action.to);
      if (!moved) return `${action.doc} is where it was: ${nodeId}`;
      return `${action.doc} went from ${fromNodeId} to ${nodeId}, epoch ${epoch}`;
    }
  }
}
