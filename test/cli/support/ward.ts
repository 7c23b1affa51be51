import type { BackplaneNode } from '../../../src/runtime/node.ts';
import { type CommandLine, commandLine, type Ended } from '../../support/command-line.ts';
import type { NodeCluster } from '../../support/node-cluster.ts';
import { type ServedNode, serveNode } from '../../support/serve-node.ts';

/** What a sickness is brought about with; whatever is started here is stopped at the end. */
export interface Ward {
  readonly cluster: NodeCluster;
  /** Starts a real node, with a fast heartbeat. */
  serve(nodeId: string, ...args: string[]): Promise<ServedNode>;
  node(nodeId: string): Promise<BackplaneNode>;
  /** Runs the real binary. */
  backplane(...words: string[]): Promise<Ended>;
  /** Called when the test is over. */
  after(undo: () => Promise<unknown>): void;
}

/** A cluster with one thing wrong. */
export interface Sickness {
  readonly code: string;
  readonly what: string;
  /** 1: a warning; 2: critical. */
  readonly exit: 1 | 2;
  bring(ward: Ward): Promise<unknown>;
  /** Of the cluster to ask the doctor about; absent: that of the ward. */
  readonly prefix?: string;
  /** It has this cause, which is found as well and to be mended first. */
  readonly also?: string;
}

export async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 15_000;
  while (performance.now() < deadline) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('what was waited for never came');
}

/** A ward that cleans up after itself. */
export function openWard(cluster: NodeCluster): Ward & { close(): Promise<void> } {
  const undo: (() => Promise<unknown>)[] = [];
  const cli: CommandLine = commandLine({ BACKPLANE_URL: cluster.url });
  return {
    cluster,
    backplane: (...words) => cli.run(...words),
    after: (step) => void undo.push(step),
    async serve(nodeId, ...args) {
      const fast = ['--heartbeat', '500ms', '--port', '0', '--node-id', nodeId];
      const url = args.includes('--url') ? [] : ['--url', cluster.url];
      const served = await serveNode({ args: [...url, ...fast, ...args] });
      undo.push(async () => {
        // In order, so that it leaves nothing for the next test to find.
        for (const signal of ['SIGCONT', 'SIGTERM'] as const) served.kill(signal);
        await served.ended;
      });
      return served;
    },
    async node(nodeId) {
      const node = await cluster.node(nodeId);
      undo.push(() => node.stop());
      return node;
    },
    async close() {
      for (const step of undo.reverse()) await step();
      await cli.stop();
    },
  };
}
