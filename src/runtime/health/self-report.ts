import type { NodeMetrics, Readiness } from '../node.ts';
import type { NodeParts, NodeWorld } from '../node-parts.ts';
import type { NodeDials, NodeSettings } from '../node-settings.ts';
import type { StrainReport } from './strain.ts';

/** What a node says about itself when an operator asks. JSON-safe; no payloads, no secrets. */
export interface NodeSelfReport {
  readonly nodeId: string;
  readonly session: string | null;
  readonly version: string;
  readonly pid: number;
  /** The node's wall clock, ms since 1970: to compare with others. */
  readonly wallMs: number;
  readonly dials: NodeDials;
  readonly fastTakeover: boolean;
  readonly documentEngine: 'json' | 'log';
  readonly storeIdentity: string;
  readonly storeVolatile: boolean;
  readonly metrics: NodeMetrics;
  readonly strain: StrainReport;
  /** Documents that peers of this node, or its application, follow; at most `followedMax`. */
  readonly followed: readonly FollowedDocument[];
  /** Tried just now; null when the operator did not ask for it. */
  readonly readiness: Readiness | null;
}

export interface FollowedDocument {
  readonly doc: string;
  /** The op delivered last. */
  readonly seq: number;
  readonly followers: number;
}

export const followedMax = 1_000;

export async function selfReport(
  { store, clock }: NodeWorld,
  settings: NodeSettings,
  parts: NodeParts,
  asked: { readonly metrics: NodeMetrics; readonly readiness: Readiness | null },
): Promise<NodeSelfReport> {
  const { nodeId, version, pid, dials, fastTakeover, documentEngine } = settings;
  return {
    nodeId,
    session: parts.keeper.id(),
    version,
    pid,
    wallMs: clock.wallMs(),
    dials,
    fastTakeover,
    documentEngine,
    storeIdentity: await store.identity(),
    storeVolatile: store.volatile,
    strain: parts.strain.read(),
    followed: parts.feeds.followed(followedMax),
    ...asked,
  };
}
