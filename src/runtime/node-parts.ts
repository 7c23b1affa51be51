import { protocol } from '../foundation/limits.ts';
import type { Clock } from '../ports/clock.ts';
import type { ClusterRecord } from '../ports/cluster-record.ts';
import type { Engine, InspectableStore } from '../ports/engine.ts';
import type { Logger } from '../ports/logger.ts';
import type { Random } from '../ports/random.ts';
import { Awareness } from './awareness/awareness.ts';
import type { ControlDesk } from './control-desk.ts';
import type { Counters } from './counters.ts';
import { documentEngineNamed } from './documents/document-engine.ts';
import { DocumentNews } from './documents/document-news.ts';
import { Documents } from './documents/documents.ts';
import { Feeds } from './documents/feeds.ts';
import { storeReader } from './documents/store-reader.ts';
import { clusterTagOf } from './frames.ts';
import { LatencyCounts } from './health/latency-counts.ts';
import { Strain } from './health/strain.ts';
import { SubscriberProbe } from './health/subscriber-probe.ts';
import type { NodeSettings } from './node-settings.ts';
import { Outbox } from './outbox.ts';
import { Presence } from './presence/presence.ts';
import { noRedirects } from './relay/redirect-rules.ts';
import { Relay } from './relay/relay.ts';
import { DocumentRouter } from './requests/document-router.ts';
import { LiveNodes } from './requests/live-nodes.ts';
import type { Methods } from './requests/methods.ts';
import { RequestDesk } from './requests/request-desk.ts';
import { Requester } from './requests/requester.ts';
import { type IncomingRequest, Responder } from './requests/responder.ts';
import type { SessionKeeper } from './sessions/session-keeper.ts';
import { SessionWatch } from './sessions/session-watch.ts';
import { Sweeper } from './sessions/sweeper.ts';

/** What a node is given: the world. */
export interface NodeWorld {
  readonly engine: Engine;
  readonly store: InspectableStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** What the node itself brings along. */
export interface NodeOwn {
  readonly counters: Counters;
  readonly methods: Methods;
  readonly keeper: (watch: SessionWatch, strain: Strain) => SessionKeeper;
  readonly controls: () => ControlDesk;
}

/** The parts of a running node, wired to each other. */
export type NodeParts = ReturnType<typeof assembleNode>;

/**
 * Wires the parts of a node, in the order of dependence: nothing is used before it is there. Parts
 * that need each other are given functions, which are called only once all are.
 */
export function assembleNode(
  world: NodeWorld,
  settings: NodeSettings,
  cluster: ClusterRecord,
  own: NodeOwn,
) {
  const { engine, ...rest } = world;
  const shared = { ...rest, ...engine, counters: own.counters, nodeId: settings.nodeId };
  const clusterTag = clusterTagOf(cluster.id);
  const among = assembleAmongNodes(shared, settings, clusterTag, own);
  const { keeper, watch, nodes, requester, outbox } = among;
  const { requestTimeoutMs } = settings.dials;
  const presence = new Presence({ ...shared, ...among, clusterTag, requestTimeoutMs });
  const { documents, ...followed } = assembleDocuments(
    { ...shared, ...among },
    settings,
    clusterTag,
  );
  const desk: RequestDesk = new RequestDesk({
    ...shared,
    documents,
    methods: own.methods,
    get controls() {
      return own.controls();
    },
    session: () => keeper.id(),
    router: () => router,
  });
  const latencies = new LatencyCounts();
  const routed = { ...shared, watch, nodes, requester, latencies };
  const router = new DocumentRouter({ ...routed, local: desk });
  const handle = (request: IncomingRequest) => desk.handle(request);
  const responder = new Responder({ ...shared, outbox, handle });
  const relay = new Relay({
    ...shared,
    outbox,
    watch,
    settings: settings.relay ?? noRedirects,
    address: () => settings.address(),
    session: () => keeper.id(),
  });
  const asked = { documents, router, responder, latencies };
  return { clusterTag, ...among, ...followed, ...asked, presence, relay };
}

type Shared = Omit<NodeWorld, 'engine'> &
  Engine & { readonly counters: Counters; readonly nodeId: string };

/** What has to do with other nodes: who is alive, and how to ask them something. */
function assembleAmongNodes(
  shared: Shared,
  settings: NodeSettings,
  clusterTag: number,
  own: NodeOwn,
) {
  const { takeoverGraceMs, heartbeatMs, nodeTimeoutMs } = settings.dials;
  const { fastTakeover, selfProbeMs = protocol.selfProbeMs } = settings;
  const outbox = new Outbox(shared.bus, clusterTag);
  const watch: SessionWatch = new SessionWatch({
    ...shared,
    takeoverGraceMs,
    fastTakeover,
    inbox: () => keeper.id(),
  });
  const strain = new Strain(shared.clock);
  const keeper = own.keeper(watch, strain);
  const requester = new Requester({ ...shared, outbox, watch, inbox: () => keeper.require() });
  return {
    outbox,
    watch,
    keeper,
    strain,
    requester,
    probe: new SubscriberProbe({
      ...shared,
      strain,
      outbox,
      everyMs: selfProbeMs,
      inbox: () => keeper.id(),
    }),
    nodes: new LiveNodes({ ...shared, watch }),
    sweeper: new Sweeper({ ...shared, keeper, watch, heartbeatMs, nodeTimeoutMs }),
  };
}

/** What has to do with documents: owning them, following them, who else looks at them. */
function assembleDocuments(
  shared: Shared & ReturnType<typeof assembleAmongNodes>,
  settings: NodeSettings,
  clusterTag: number,
) {
  const { dials } = settings;
  const feeds: Feeds = new Feeds({
    ...shared,
    clusterTag,
    reader: storeReader(shared.store),
    heardAwareness: (doc, changes, from) => awareness.heard(doc, changes, from),
    heardAwarenessQuery: (doc, from) => awareness.heardQuery(doc, from),
    interestChanged: (doc, interested) => {
      if (interested) awareness.query(doc);
      else awareness.leave(doc);
    },
  });
  const awareness = new Awareness({
    ...shared,
    session: () => shared.keeper.id(),
    ttlMs: dials.awarenessTtlMs,
    ratePerSecond: dials.awarenessRatePerSecond,
    deliver: (doc, changes) => feeds.feed(doc)?.offerAwareness(changes),
  });
  shared.watch.onDeath((session) => awareness.forgetSession(session));
  const news = new DocumentNews({ ...shared, feeds });
  const documents = new Documents({
    ...shared,
    dials,
    engine: documentEngineNamed(settings.documentEngine),
    announce: (doc, ops) => news.announcement(doc, ops),
    appended: (doc, ops) => news.appended(doc, ops),
    ownerChanged: (doc, session, epoch, change) =>
      news.ownerChanged({ doc, session, epoch, change }),
  });
  return { feeds, awareness, documents };
}
