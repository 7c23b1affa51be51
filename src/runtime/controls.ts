/**
 * What an operator can ask of a node, and the shape of each answer. They travel as control frames,
 * apart from requests: `rpc` cannot reach them.
 *
 * | control | params | answer | errors |
 * | --- | --- | --- | --- |
 * | `doc.read` | `{doc, after, limit}` | `{ops: WireOp[], end: {seq, chain}}` | DOCUMENT_UNKNOWN |
 * | `doc.describe` | `{doc}` | `DocumentDescription` | DOCUMENT_UNKNOWN |
 * | `docs.page` | `{from, limit}` | `{documents: DocumentHead[], next}` | |
 * | `lease.acquire` | `{doc}` | `{doc, session, nodeId, epoch}` | LEASE_HELD |
 * | `lease.release` | `{doc}` | `{doc, epoch}` | NOT_OWNER |
 * | `lease.move` | `{doc, session}` | `{doc, session, nodeId, epoch}` | NOT_OWNER, NODE_DEAD |
 * | `doc.feed` | `{doc}` | `{followed, seq, followers}` of the node asked | |
 * | `node.report` | `{probe}` | `NodeSelfReport`; with `probe`, what works just now | |
 * | `node.pulse` | `{documents: {contains, limit} \| null}` | `NodePulse`: what it counts, its busiest documents | |
 * | `node.drain` | `{}` | `{documents}`, before it stops | |
 * | `cache.list` | `{}` | `{regions: CacheRegionReport[]}` | |
 * | `cache.probe` | `{region, key}` | `{probe: CacheProbe \| null}` | |
 * | `cache.evict` | `{region, scope}` | `{region, stamp}` | CACHE_REGION_UNKNOWN |
 * | `awareness.list` | `{doc}`, null for all | `{rows, unlisted}` of this node's peers | |
 * | `presence.query` | `{what, selector, fresh, after, limit, filter}` | `{rows, next, total}` | |
 * | `presence.deliver` | `{how, selector, method, payload, timeoutMs, fresh}` | who answered | CONNECTION_UNKNOWN, USER_UNKNOWN, GROUP_UNKNOWN |
 * | `presence.change` | `{id, join, leave, kick}` | the connection | CONNECTION_UNKNOWN |
 * | `presence.hold` | the same, of a connection of this node | the connection | CONNECTION_UNKNOWN |
 * | `presence.local` | a delivery to the connections of this node | who answered | OVERLOADED |
 * | `presence.cancel` | `{ref}` | `{}` | |
 * | `presence.state` | `{hub, digests}` | `HubState` | |
 * | `relay.list` | `{workspace, after, filter}` | `RelayPage` | |
 * | `relay.ping` | `{session, count}` | `{latenciesMs}` | NO_RESPONDER, DEADLINE_EXCEEDED |
 * | `relay.redirect` | `{publicUrl, workspace}` | `{url}` | RELAY_REDIRECT_REFUSED |
 */
export const controlNames = [
  'doc.read',
  'doc.describe',
  'doc.feed',
  'docs.page',
  'lease.acquire',
  'lease.release',
  'lease.move',
  'node.drain',
  'node.report',
  'node.pulse',
  'cache.list',
  'cache.probe',
  'cache.evict',
  'awareness.list',
  'presence.query',
  'presence.deliver',
  'presence.change',
  'presence.hold',
  'presence.local',
  'presence.cancel',
  'presence.state',
  'relay.list',
  'relay.ping',
  'relay.redirect',
] as const;

export type ControlName = (typeof controlNames)[number];

/** An op inside a JSON answer. */
export interface WireOp {
  readonly seq: number;
  readonly epoch: number;
  readonly peer: string;
  readonly counter: number;
  readonly at: number;
  readonly chain: string;
  /** Base64 of the payload. */
  readonly payload: string;
}

export interface DocumentDescription {
  readonly doc: string;
  readonly seq: number;
  readonly epoch: number;
  /** The session fenced in last, which may have died since. */
  readonly writer: string;
  readonly snapshotSeq: number;
  readonly chain: string;
  /** JSON text of the state with the `json` engine; null with `log`, and when it is too large. */
  readonly state: string | null;
}
