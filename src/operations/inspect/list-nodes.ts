import { dials } from '../../foundation/limits.ts';
import type { DeathCause, SessionRecord, Sessions } from '../../ports/sessions.ts';

/**
 * What a node is fit for, the worst first: `dead` (its session ended), `silent` (it missed two
 * heartbeats), `deaf` (it does not hear its own subscriptions), `draining`, `live`.
 */
export type NodeState = 'live' | 'silent' | 'draining' | 'deaf' | 'dead';

export const nodeStates = ['live', 'silent', 'draining', 'deaf', 'dead'] as const;

/** One session of one node, as its last beat described it. */
export interface NodeReport {
  readonly nodeId: string;
  readonly session: string;
  readonly state: NodeState;
  readonly address: string | null;
  readonly pid: number;
  readonly version: string;
  readonly startedAt: string;
  /** By the engine's clock. */
  readonly lastBeatAgoMs: number;
  readonly documents: number;
  readonly connections: number;
  /** Why it is dead: `expired`, `fenced` or `left`; null while it lives. */
  readonly cause: DeathCause | null;
  readonly configHash: string;
  readonly protocol: number;
  readonly deaf: boolean;
  readonly draining: boolean;
  /** Another live session has the same nodeId: two processes were started with one name. */
  readonly duplicate: boolean;
}

export interface NodesQuery {
  /** Also those that left cleanly. */
  readonly all?: boolean;
  readonly states?: readonly NodeState[];
  /** The cluster's heartbeat, when it is not the default. */
  readonly heartbeatMs?: number;
}

/** Every node of the cluster by name: live ones first, then by nodeId. Writes nothing. */
export async function listNodes(sessions: Sessions, query: NodesQuery = {}): Promise<NodeReport[]> {
  const records = await sessions.list();
  const reports = reportNodes(records, query.heartbeatMs).filter((node) => {
    if (query.states && query.states.length > 0) return query.states.includes(node.state);
    return query.all || node.cause !== 'left';
  });
  return reports.sort(byStanding);
}

/** Sessions as node reports, in the order given. */
export function reportNodes(
  records: readonly SessionRecord[],
  heartbeatMs: number = dials.heartbeatMs,
): NodeReport[] {
  const liveByNodeId = new Map<string, number>();
  for (const record of records) {
    if (record.state === 'dead') continue;
    const nodeId = record.description.nodeId;
    liveByNodeId.set(nodeId, (liveByNodeId.get(nodeId) ?? 0) + 1);
  }
  return records.map((record) => {
    const alive = record.state === 'live';
    const namesakes = liveByNodeId.get(record.description.nodeId) ?? 0;
    return reportNode(record, heartbeatMs, alive && namesakes > 1);
  });
}

function reportNode(record: SessionRecord, heartbeatMs: number, duplicate: boolean): NodeReport {
  const { description, vitals } = record;
  return {
    nodeId: description.nodeId,
    session: record.id,
    state: stateOf(record, heartbeatMs),
    address: description.address,
    pid: description.pid,
    version: description.version,
    startedAt: description.startedAt,
    lastBeatAgoMs: record.lastBeatAgoMs,
    documents: record.state === 'dead' ? 0 : vitals.documents,
    connections: record.state === 'dead' ? 0 : vitals.connections,
    cause: record.cause,
    configHash: description.configHash,
    protocol: description.protocol,
    deaf: vitals.deaf,
    draining: vitals.draining,
    duplicate,
  };
}

/** The state of one session by its record. */
export function stateOf(record: SessionRecord, heartbeatMs: number = dials.heartbeatMs): NodeState {
  if (record.state === 'dead') return 'dead';
  if (record.lastBeatAgoMs > silentAfterMs(record, heartbeatMs)) return 'silent';
  if (record.vitals.deaf) return 'deaf';
  return record.vitals.draining ? 'draining' : 'live';
}

/**
 * Two heartbeats, but never more than two thirds of the session's TTL: three heartbeats always fit
 * into a TTL, so a node beyond that has missed two whatever its settings are.
 */
function silentAfterMs(record: SessionRecord, heartbeatMs: number): number {
  const ttlMs = record.lastBeatAgoMs + record.expiresInMs;
  return Math.min(2 * heartbeatMs, (2 * ttlMs) / 3);
}

function byStanding(a: NodeReport, b: NodeReport): number {
  const dead = Number(a.state === 'dead') - Number(b.state === 'dead');
  if (dead !== 0) return dead;
  return compareText(a.nodeId, b.nodeId) || compareText(a.startedAt, b.startedAt);
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
