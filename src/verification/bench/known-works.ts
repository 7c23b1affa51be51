import type { OpenWork } from './bench-work.ts';
import { openAwarenessWork } from './works/awareness-work.ts';
import { openFanoutWork } from './works/fanout-work.ts';
import { openInspectWork } from './works/inspect-work.ts';
import { openLeaseWork } from './works/lease-work.ts';
import { openOpsWork } from './works/ops-work.ts';
import { openRpcWork } from './works/rpc-work.ts';

/** Every kind of work but `takeover`, which is no load but an accident. */
export const knownWorks = {
  rpc: openRpcWork,
  ops: openOpsWork,
  fanout: openFanoutWork,
  awareness: openAwarenessWork,
  leases: openLeaseWork,
  inspect: openInspectWork,
} as const satisfies Record<string, OpenWork>;

export type WorkName = keyof typeof knownWorks;
