import * as v from 'valibot';
import { formatDuration } from '../../../foundation/duration.ts';
import type { FaultKind } from '../fault.ts';
import { signedDurationMs } from '../scenario-values.ts';
import { targetNode } from './target-node.ts';

const stepDefault = '30s';
/** How much later the node reads its clock than the drill reads its own. */
const toleranceMs = 2_000;

/** The same clock as before is no fault. */
const stepMs = v.pipe(
  signedDurationMs,
  v.check(
    (byMs) => Math.abs(byMs) > toleranceMs,
    `must be more than ${formatDuration(toleranceMs)}, to be told apart`,
  ),
);

const parameters = v.strictObject({ by: v.optional(stepMs, stepDefault) });

/** The wall clock of one process jumps, as after a wrong time server or a suspended machine. */
export const clockStepFault: FaultKind<typeof parameters> = {
  name: 'clock-step',
  summary: 'step the wall clock of a node, forward or back, and step it back afterwards',
  on: 'node',
  recoveryFrom: 'start',
  endsNode: false,
  parameters,
  unfit: () => null,
  async inject(site, { by: byMs }) {
    const { node, pid } = targetNode(site);
    await node.agent.stepWallClock(byMs);
    let isStepped = true;
    return {
      evidence: async () => {
        if (node.pid !== pid) return null;
        const aheadMs = (await node.agent.wallMs()) - site.clock.wallMs();
        if (Math.abs(aheadMs - byMs) > toleranceMs) return null;
        const where = byMs > 0 ? 'ahead of' : 'behind';
        return `its wall clock was ${formatDuration(Math.abs(byMs))} ${where} the machine's`;
      },
      revert: async () => {
        // Another process of this node has the clock of the machine.
        if (!isStepped || node.pid !== pid) return;
        isStepped = false;
        await node.agent.stepWallClock(-byMs);
      },
    };
  },
};
