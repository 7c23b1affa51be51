import * as v from 'valibot';
import { formatDuration, parseDurationMs } from '../../../foundation/duration.ts';
import { isBackplaneError } from '../../../foundation/errors.ts';
import type { FaultKind } from '../fault.ts';
import { targetNode } from './target-node.ts';

const stepDefault = '30s';
/** How much later the node reads its clock than the drill reads its own. */
const toleranceMs = 2_000;

/** `30s` is forward, `-30s` back; the same clock as before is no fault. */
const stepMs = v.pipe(
  v.string('must be a duration with its sign: 30s, -1h'),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const text = dataset.value.trim();
    const sign = text.startsWith('-') ? -1 : 1;
    try {
      const byMs = sign * parseDurationMs(text.replace(/^[-+]/, ''));
      if (Math.abs(byMs) > toleranceMs) return byMs;
      addIssue({ message: `must be more than ${formatDuration(toleranceMs)}, to be told apart` });
    } catch (error) {
      if (!isBackplaneError(error)) throw error;
      addIssue({ message: `${error.message}: ${error.remedy}, back with a minus: -30s` });
    }
    return NEVER;
  }),
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
