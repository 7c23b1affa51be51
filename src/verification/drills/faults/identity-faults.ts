import * as v from 'valibot';
import type { FaultKind } from '../fault.ts';
import { targetNode } from './target-node.ts';

const nothing = v.strictObject({});
const terminateMsMax = 30_000;

/** Two processes with one name: a copied configuration, a restart that was not waited for. */
export const duplicateNodeIdFault: FaultKind<typeof nothing> = {
  name: 'duplicate-node-id',
  summary: 'start a second process with the node id of a node, and stop it afterwards',
  on: 'node',
  recoveryFrom: 'start',
  endsNode: false,
  parameters: nothing,
  unfit: () => null,
  async inject(site) {
    const { node } = targetNode(site);
    const twin = await node.twin();
    await twin.start();
    return {
      evidence: async () => {
        if (twin.pid === null || twin.session === node.session) return null;
        return `process ${twin.pid} was called ${node.nodeId} too, with session ${twin.session} beside ${node.session}`;
      },
      // A clean stop: the twin must take nothing away that is the node's.
      revert: async () => {
        if (twin.pid !== null) await twin.terminate(terminateMsMax);
      },
    };
  },
};
