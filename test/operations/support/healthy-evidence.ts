import { dials } from '../../../src/foundation/limits.ts';
import type { Evidence, NodeAnswer } from '../../../src/operations/diagnose/evidence.ts';
import type { PresenceTrouble } from '../../../src/operations/diagnose/presence-trouble.ts';
import type { RelayReport } from '../../../src/operations/inspect/list-relay.ts';
import type { BrokerExamination } from '../../../src/ports/examination.ts';
import type { SessionRecord } from '../../../src/ports/sessions.ts';
import type { CacheRegionReport } from '../../../src/runtime/cache/cache.ts';
import type { NodeSelfReport } from '../../../src/runtime/health/self-report.ts';

const broker: BrokerExamination = {
  where: {
    ...{ host: '127.0.0.1', port: 6379, path: null, tls: false },
    ...{ db: 0, username: null, hasPassword: false },
  },
  ...{ user: 'default', software: 'redis', version: '7.2.4', mode: 'standalone' },
  ...{ roundTripMs: 0.3, clockAheadMs: 2, prefix: 'backplane:' },
  state: {
    ...{
      role: 'primary',
      replicas: 0,
      uptimeMs: 1_000,
      memoryBytes: 1_000_000,
      evictedKeys: 0,
      cpuMs: 1_000,
    },
    ...{
      lastSaveOk: true,
      lastSaveAgoMs: 0,
      changesSinceSave: 0,
      appendFileOk: true,
      loading: false,
    },
  },
  settings: {
    ...{
      memoryBytesMax: 0,
      evictionPolicy: 'noeviction',
      appendOnly: true,
      appendSync: 'everysec',
    },
    ...{
      save: '',
      replicasToWriteMin: 0,
      protectedMode: true,
      bind: ['127.0.0.1'],
      idleTimeoutMs: 0,
    },
    ...{ subscriberBytesMax: 33_554_432, subscriberBytesSoft: 8_388_608, subscriberSoftMs: 60_000 },
  },
  ...{ clients: [], openToAll: true, rights: [{ user: 'default', isOfNodes: true, denied: [] }] },
  keys: { underOurPrefix: [], otherClusters: [], scanned: 10, truncated: false },
  unread: [],
};

/** A live node and what it answered, but for what a test says. */
export function healthyNode(
  nodeId: string,
  report: Partial<NodeSelfReport> = {},
): { session: SessionRecord; answer: NodeAnswer } {
  const id = `session-of-${nodeId}`;
  const session: SessionRecord = {
    ...{ id, state: 'live', cause: null, beat: 7, lastBeatAgoMs: 900, expiresInMs: 29_000 },
    description: {
      ...{ nodeId, address: 'http://127.0.0.1:7420', pid: 1, version: '1.0.0', protocol: 1 },
      ...{ configHash: 'cafe', startedAt: '2026-01-01T00:00:00.000Z' },
    },
    vitals: { documents: 1, connections: 0, draining: false, deaf: false },
  };
  const full: NodeSelfReport = {
    ...{ nodeId, session: id, version: '1.0.0', pid: 1, wallMs: 0, dials, fastTakeover: true },
    ...{ documentEngine: 'json', storeIdentity: 'redis:backplane:', storeVolatile: false },
    metrics: { counters: {}, gauges: {} },
    strain: { loopLagMs: 4, sessionMarginMs: 24_000, renewalMs: 2, overMs: 60_000 },
    followed: [],
    readiness: { ready: true, checks: [{ name: 'store', ok: true, detail: '', tookMs: 1 }] },
    ...report,
  };
  const answer: NodeAnswer = {
    ...{ session: id, nodeId, receivers: 1, latencyMs: 2, failure: null, clockAheadMs: 0 },
    report: full,
  };
  return { session, answer };
}

const sample = <Row>(rows: readonly Row[]) => ({ rows, counted: rows.length, truncated: false });

/** Two nodes on a Redis with nothing wrong, but for what a test says. */
export function healthyEvidence(changes: Partial<Evidence> = {}): Evidence {
  const nodes = ['web-1', 'web-2'].map((nodeId) => healthyNode(nodeId));
  return {
    ...{ kind: 'backplane-evidence', schemaVersion: 1, takenBy: 'a test' },
    takenAt: '2026-01-01T00:00:00.000Z',
    target: { url: 'redis://127.0.0.1:6379', store: null, prefix: 'backplane:', flags: [] },
    ...{ broker, refusal: null },
    cluster: { id: 'c', buckets: 8_192, storeIdentity: 'redis:backplane:', documentEngine: 'json' },
    sessions: nodes.map(({ session }) => session),
    nodes: nodes.map(({ answer }) => answer),
    channels: sample(
      nodes.map(({ session }) => ({ channel: `inbox:${session.id}`, receivers: 1 })),
    ),
    ...{ leases: sample([]), documents: sample([]), presence: sample([]), caches: sample([]) },
    ...{ workspaces: sample([]), places: [] },
    ...changes,
  };
}

/** The same with another broker, but for these parts of it. */
export function withBroker(
  changes: {
    readonly [Part in keyof BrokerExamination]?: Partial<BrokerExamination[Part]> | null;
  },
): Evidence {
  const changed = Object.entries(changes).map(([part, value]) => {
    const before = broker[part as keyof BrokerExamination];
    const isPart = typeof value === 'object' && value !== null && !Array.isArray(value);
    return [part, isPart ? { ...(before as object), ...value } : value];
  });
  return healthyEvidence({ broker: { ...broker, ...Object.fromEntries(changed) } });
}

/** The same with a second node that is not as it should be. */
export function withNode(change: {
  readonly session?: Partial<SessionRecord>;
  readonly answer?: Partial<NodeAnswer>;
  readonly report?: Partial<NodeSelfReport>;
}): Evidence {
  const [one, two] = [healthyNode('web-1'), healthyNode('web-2', change.report)];
  return healthyEvidence({
    sessions: [one.session, { ...two.session, ...change.session }],
    nodes: [one.answer, { ...two.answer, ...change.answer }],
  });
}

/** Two nodes, and somebody who is wrong about the connections of one. */
export function withTrouble(trouble: Partial<PresenceTrouble>): Evidence {
  const about = { hub: 'main', nodeId: 'web-1', session: 'session-of-web-1', seenBy: 'broker' };
  return healthyEvidence({ presence: sample([{ kind: 'behind', ...about, ...trouble }]) });
}

/** A region in order on a node, but for what a test says. */
export function cacheRegion(changes: Partial<CacheRegionReport>): CacheRegionReport {
  return {
    ...{ region: 'users', nodeId: 'web-1', state: 'current', entries: 3, entriesMax: 100 },
    ...{ hits: 9, misses: 1, hitRate: 0.9, loads: 1, joined: 0, loadFailures: 0, l2: false },
    ...{ l2Hits: 0, l2Refused: 0, l2Failures: 0, evictionsHeard: 2, evictionsSent: 1 },
    ...{ echoFactor: 1, gaps: 0, flushes: 0, inDoubt: 0, stamp: 3, confirmedAgoMs: 20 },
    ...{ stalenessMs: 10_000, whenCut: 'bypass' },
    ...changes,
  };
}

export function withCaches(...regions: CacheRegionReport[]): Evidence {
  return healthyEvidence({ caches: sample(regions) });
}

export function withWorkspace(changes: Partial<RelayReport>): Evidence {
  const workspace: RelayReport = {
    ...{ workspace: 'ws-1', nodeId: 'web-1', session: 'session-of-web-1', publicUrl: null },
    ...{ browsers: 1, browserNodes: ['web-2'], queuedBytes: 0, dropped: 0, redirects: 0 },
    ...changes,
  };
  return healthyEvidence({ workspaces: sample([workspace]) });
}
