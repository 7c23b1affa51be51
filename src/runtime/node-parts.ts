import type { Clock } from '../ports/clock.ts';
import type { ClusterRecord } from '../ports/cluster-record.ts';
import type { Engine, InspectableStore } from '../ports/engine.ts';
import type { Logger } from '../ports/logger.ts';
import type { Random } from '../ports/random.ts';
import type { StoredOp } from '../ports/store.ts';
import { opsFrames } from './announcements.ts';
import { Awareness } from './awareness/awareness.ts';
import { documentChannel } from './channels.ts';
import type { ControlDesk } from './control-desk.ts';
import type { Counters } from './counters.ts';
import { documentEngineNamed } from './documents/document-engine.ts';
import { Documents } from './documents/documents.ts';
import { asFollowed } from './documents/feed.ts';
import { Feeds } from './documents/feeds.ts';
import { storeReader } from './documents/store-reader.ts';
import { clusterTagOf, noPayload } from './frames.ts';
import { SubscriberProbe } from './health/subscriber-probe.ts';
import type { NodeSettings } from './node-settings.ts';
import { Outbox } from './outbox.ts';
import { DocumentRouter } from './requests/document-router.ts';
import { LiveNodes } from './requests/live-nodes.ts';
import type { Methods } from './requests/methods.ts';
import { RequestDesk } from './requests/request-desk.ts';
import { Requester } from './requests/requester.ts';
import { Responder } from './requests/responder.ts';
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

/** The parts of a running node, wired to each other. */
export type NodeParts = ReturnType<typeof assembleNode>;

/**
 * Wires the parts of a node. The order is the order of dependence: nothing is used before it is
 * there. Parts that need each other are given functions, which are called only once all are.
 */
export function assembleNode(
  world: NodeWorld,
  settings: NodeSettings,
  cluster: ClusterRecord,
  own: {
    readonly counters: Counters;
    readonly methods: Methods;
    readonly keeper: (watch: SessionWatch) => SessionKeeper;
    readonly controls: () => ControlDesk;
  },
) {
  const { engine, store, clock, random, logger } = world;
  const { bus, sessions, leases } = engine;
  const { nodeId, dials } = settings;
  const { counters, methods } = own;
  const clusterTag = clusterTagOf(cluster.id);
  const shared = { bus, sessions, leases, store, clock, random, logger, counters };

  const outbox = new Outbox(bus, clusterTag);
  const { takeoverGraceMs, heartbeatMs, nodeTimeoutMs } = dials;
  const { fastTakeover } = settings;
  const watch = new SessionWatch({ ...shared, takeoverGraceMs, fastTakeover });
  const keeper = own.keeper(watch);
  const inbox = () => keeper.require();
  const probe = new SubscriberProbe({ ...shared, outbox, inbox: () => keeper.id() });
  const requester = new Requester({ ...shared, outbox, watch, inbox });
  const nodes = new LiveNodes({ ...shared, watch });

  const feeds: Feeds = new Feeds({
    ...shared,
    clusterTag,
    reader: storeReader(store),
    heardAwareness: (doc, changes, from) => awareness.heard(doc, changes, from),
    heardAwarenessQuery: (doc, from) => awareness.heardQuery(doc, from),
    interestChanged: (doc, interested) => interested && awareness.query(doc),
  });
  const awareness = new Awareness({
    ...shared,
    nodeId,
    outbox,
    ttlMs: dials.awarenessTtlMs,
    ratePerSecond: dials.awarenessRatePerSecond,
    deliver: (doc, changes) => feeds.feed(doc)?.offerAwareness(changes),
  });

  const encode = (doc: string, ops: readonly StoredOp[]) =>
    Buffer.concat([...opsFrames(doc, nodeId, ops)].map((frame) => outbox.encode(frame)));
  const documents = new Documents({
    ...shared,
    keeper,
    watch,
    dials,
    engine: documentEngineNamed(settings.documentEngine),
    announce: (doc, ops) =>
      store.announces ? { channel: documentChannel(doc), payload: encode(doc, ops) } : null,
    appended: (doc, ops) => {
      if (!store.announces) {
        for (const frame of opsFrames(doc, nodeId, ops)) {
          // A frame that is lost is a gap, which its subscribers close from the log.
          outbox.send(documentChannel(doc), frame).catch(() => {});
        }
      }
      feeds.feed(doc)?.offer(ops.map((op) => asFollowed(doc, op, nodeId)));
    },
    ownerChanged: (doc, session, epoch, change) => {
      const news = { doc, nodeId, session, epoch, change };
      const frame = { kind: 'owner' as const, ...news, payload: noPayload };
      outbox.send(documentChannel(doc), frame).catch(() => {});
    },
  });

  const desk: RequestDesk = new RequestDesk({
    nodeId,
    documents,
    methods,
    store,
    get controls() {
      return own.controls();
    },
    session: () => keeper.id(),
    router: () => router,
  });
  const router = new DocumentRouter({ ...shared, watch, nodes, requester, local: desk });
  const responder = new Responder({
    ...shared,
    nodeId,
    outbox,
    handle: (request) => desk.handle(request),
  });
  const sweeper = new Sweeper({ ...shared, keeper, watch, heartbeatMs, nodeTimeoutMs });

  return {
    clusterTag,
    watch,
    keeper,
    probe,
    requester,
    responder,
    nodes,
    feeds,
    awareness,
    documents,
    router,
    sweeper,
  };
}
