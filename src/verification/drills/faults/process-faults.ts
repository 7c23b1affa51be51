import * as v from 'valibot';
import { formatDuration } from '../../../foundation/duration.ts';
import { BackplaneError } from '../../../foundation/errors.ts';
import { type Clock, sleep } from '../../../ports/clock.ts';
import type { DrillNode } from '../drill-cluster.ts';
import type { FaultKind } from '../fault.ts';
import { readProcess } from '../nodes/read-process.ts';
import { targetNode } from './target-node.ts';

const nothing = v.strictObject({});
type NothingToSay = typeof nothing;

/** A clean end hands documents over and sends peers away; beyond this it hangs. */
const terminateMsMax = 30_000;
/** The kernel stops and resumes a process in microseconds, a busy machine a little later. */
const stateMsMax = 5_000;
const lookMs = 5;

/** A crash: the process is gone from one instruction to the next. */
export const killFault: FaultKind<NothingToSay> = {
  name: 'kill',
  summary: 'end the process of a node with SIGKILL, and start it again afterwards',
  on: 'node',
  recoveryFrom: 'start',
  endsNode: true,
  parameters: nothing,
  unfit: () => null,
  async inject(site) {
    const { node, pid } = targetNode(site);
    await node.kill();
    return {
      evidence: async () =>
        readProcess(pid) === null ? `process ${pid} was ended by SIGKILL` : null,
      revert: () => startAgain(node),
    };
  },
};

/** A stop as in a deployment: the node hands over what it has, and ends by itself. */
export const terminateFault: FaultKind<NothingToSay> = {
  name: 'terminate',
  summary: 'stop a node with SIGTERM, and start it again afterwards',
  on: 'node',
  recoveryFrom: 'start',
  endsNode: true,
  parameters: nothing,
  unfit: unfitForSignals,
  async inject(site) {
    const { node, pid } = targetNode(site);
    const sinceMs = site.clock.monotonicMs();
    const end = await node.terminate(terminateMsMax);
    const tookMs = site.clock.monotonicMs() - sinceMs;
    if (end !== 0) {
      await startAgain(node);
      throw new BackplaneError(
        'INCONCLUSIVE',
        `${node.nodeId} did not end cleanly after SIGTERM: it ended with ${end} after ${formatDuration(tookMs)}`,
      );
    }
    return {
      evidence: async () => `process ${pid} ended with 0, ${formatDuration(tookMs)} after SIGTERM`,
      revert: () => startAgain(node),
    };
  },
};

/** A pause nobody in the process notices: a stopped virtual machine, a swapping host. */
export const pauseFault: FaultKind<NothingToSay> = {
  name: 'pause',
  summary: 'stop the process of a node with SIGSTOP, and let it go on afterwards',
  on: 'node',
  recoveryFrom: 'start',
  endsNode: false,
  parameters: nothing,
  unfit: unfitForSignals,
  async inject(site) {
    const { node, pid } = targetNode(site);
    const { clock } = site;
    const sinceMs = clock.monotonicMs();
    node.signal('SIGSTOP');
    if (!(await becomes(pid, true, clock))) {
      node.signal('SIGCONT');
      throw new BackplaneError('INCONCLUSIVE', `process ${pid} was not stopped by SIGSTOP`);
    }
    return {
      evidence: async () => {
        if (!isStopped(pid)) return null;
        return `process ${pid} stood still for ${formatDuration(clock.monotonicMs() - sinceMs)}`;
      },
      revert: async () => {
        // Another process of this node was never stopped.
        if (node.pid !== pid) return;
        node.signal('SIGCONT');
        if (await becomes(pid, false, clock)) return;
        throw new BackplaneError('INCONCLUSIVE', `process ${pid} does not go on after SIGCONT`);
      },
    };
  },
};

/** A handler that computes for seconds, or a long garbage collection. */
export const blockFault: FaultKind<NothingToSay> = {
  name: 'block',
  summary: 'block the event loop of a node',
  on: 'node',
  recoveryFrom: 'start',
  endsNode: false,
  parameters: nothing,
  unfit: () => null,
  async inject(site) {
    const { node, pid } = targetNode(site);
    const sinceMs = site.clock.monotonicMs();
    const loop = await node.agent.blockEventLoop();
    // Whoever is asked while nothing runs answers afterwards, if at all.
    let hasAnswered = false;
    const question = node.agent.wallMs().then(
      () => {
        hasAnswered = true;
      },
      () => {},
    );
    return {
      evidence: async () => {
        if (hasAnswered || node.pid !== pid) return null;
        const forMs = site.clock.monotonicMs() - sinceMs;
        return `the event loop of process ${pid} did nothing for ${formatDuration(forMs)}`;
      },
      revert: async () => {
        if (node.pid !== pid) return;
        await loop.release();
        await question;
      },
    };
  },
};

/** Twice is once, and somebody else may have started it meanwhile. */
async function startAgain(node: DrillNode): Promise<void> {
  if (node.pid === null) await node.start();
}

function unfitForSignals(): string | null {
  return process.platform === 'win32' ? 'Windows has no signals that stop a process' : null;
}

function isStopped(pid: number): boolean {
  return readProcess(pid)?.state.startsWith('T') === true;
}

/** False when it took too long. A process that has ended is stopped no more. */
async function becomes(pid: number, stopped: boolean, clock: Clock): Promise<boolean> {
  const untilMs = clock.monotonicMs() + stateMsMax;
  while (isStopped(pid) !== stopped) {
    if (clock.monotonicMs() > untilMs) return false;
    await sleep(clock, lookMs);
  }
  return true;
}
