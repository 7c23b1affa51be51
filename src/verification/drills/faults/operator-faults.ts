import * as v from 'valibot';
import { BackplaneError } from '../../../foundation/errors.ts';
import { drainNode } from '../../../operations/act/drain-node.ts';
import { evictNode } from '../../../operations/act/evict-node.ts';
import { moveLease } from '../../../operations/act/move-lease.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Engine } from '../../../ports/engine.ts';
import type { Random } from '../../../ports/random.ts';
import type { Visitor } from '../../../runtime/visitor.ts';
import type { ActiveFault, FaultKind } from '../fault.ts';

/** Where an operator stands: at no process, but at every door of the cluster. */
export interface OperatorSite {
  readonly engine: Engine;
  readonly visitor: Visitor;
  readonly nodeId: string;
  /** Living nodes besides that one. */
  readonly others: readonly string[];
  /** The document that faults "on the owner" mean. */
  readonly doc: string;
  readonly clock: Clock;
  readonly random: Random;
}

/** A fault that an operator can cause in any cluster, also in one that exists. */
export type OperatorFault = Pick<
  FaultKind,
  'name' | 'summary' | 'on' | 'recoveryFrom' | 'endsNode' | 'parameters'
> & {
  /** True when nothing that a drill could do takes it back. */
  readonly isFinal: boolean;
  inject(site: OperatorSite): Promise<ActiveFault>;
};

const nothing = v.strictObject({});
const drainMsMax = 30_000;
const done = async () => {};

/** What a false suspicion does: the node lives, and has lost everything. */
export const evictFault: OperatorFault = {
  name: 'evict',
  summary: 'end the session of a living node; it comes back by itself, under another',
  on: 'node',
  recoveryFrom: 'start',
  endsNode: false,
  parameters: nothing,
  isFinal: false,
  async inject({ engine, nodeId }) {
    const { sessions } = await evictNode(engine, nodeId, { force: true });
    const fenced = sessions.filter((each) => each.fenced).map(({ session }) => session);
    return {
      evidence: async () => (fenced.length > 0 ? `session ${fenced.join(', ')} was fenced` : null),
      revert: done,
    };
  },
};

/** A hand-over in good order, as a balancer of load does it. */
export const moveFault: OperatorFault = {
  name: 'move',
  summary: 'hand the first document from its owner to another node',
  on: 'node',
  recoveryFrom: 'start',
  endsNode: false,
  parameters: nothing,
  isFinal: false,
  async inject({ engine, visitor, others, doc, random }) {
    const to = others[Math.floor(random.fraction() * others.length)];
    if (to === undefined) throw new BackplaneError('INCONCLUSIVE', 'there is no other node');
    const door = { sessions: engine.sessions, leases: engine.leases, visitor };
    const { moved, fromNodeId, nodeId } = await moveLease(door, doc, to);
    return {
      evidence: async () => (moved ? `${doc} went from ${fromNodeId} to ${nodeId}` : null),
      revert: done,
    };
  },
};

/** The node hands over and stops, and its supervisor starts it again, if it has one. */
export const drainFault: OperatorFault = {
  name: 'drain',
  summary: 'have a node hand everything over and stop, for its supervisor to start it again',
  on: 'node',
  recoveryFrom: 'start',
  endsNode: true,
  parameters: nothing,
  isFinal: true,
  async inject({ engine, visitor, nodeId, clock }) {
    const { sessions } = engine;
    const parts = { sessions, visitor, clock };
    const { cause, documents } = await drainNode(parts, nodeId, { timeoutMs: drainMsMax });
    return {
      evidence: async () =>
        cause === 'left' ? `${nodeId} handed over ${documents} documents and left` : null,
      revert: done,
    };
  },
};

/** Those that also a drill on a cluster of its own offers. */
export const operatorFaults: readonly OperatorFault[] = [evictFault, moveFault];
