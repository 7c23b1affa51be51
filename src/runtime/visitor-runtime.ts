import { BackplaneError, isBackplaneError } from '../foundation/errors.ts';
import {
  checkCacheRegion,
  checkDocumentName,
  checkPeer,
  opIdOf,
} from '../foundation/identifiers.ts';
import { dials, limits } from '../foundation/limits.ts';
import { parsePlainJson } from '../foundation/plain-json.ts';
import type { Subscription, Unlisten } from '../ports/bus.ts';
import type { Clock } from '../ports/clock.ts';
import type { Engine } from '../ports/engine.ts';
import type { Logger } from '../ports/logger.ts';
import type { Random } from '../ports/random.ts';
import type { StoredOp } from '../ports/store.ts';
import { type CacheNews, readCacheNews } from './cache/cache-news.ts';
import { cacheChannel, inboxChannel } from './channels.ts';
import type { ControlName, WireOp } from './controls.ts';
import { Counters } from './counters.ts';
import { Feeds } from './documents/feeds.ts';
import type { LogReader } from './documents/log-reader.ts';
import { clusterTagOf, decodeFrames } from './frames.ts';
import { Outbox } from './outbox.ts';
import type {
  Follower,
  FollowFrom,
  Following,
  OpReceipt,
  OpSubmission,
  RequestOptions,
  RequestReport,
  RequestTarget,
} from './reports.ts';
import { DocumentRouter } from './requests/document-router.ts';
import { LiveNodes } from './requests/live-nodes.ts';
import { readReceipt } from './requests/read-receipt.ts';
import { Requester } from './requests/requester.ts';
import { askAll, askNode, findNode, timed } from './requests/scatter.ts';
import { distrustMs, SessionWatch } from './sessions/session-watch.ts';
import type { Visitor } from './visitor.ts';

export interface VisitorWorld {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export interface VisitorSettings {
  /**
   * A visitor that may write fences a dead owner it stumbles on, as a node would, so that an op
   * after a crash need not wait for somebody else to notice. One that only looks does not.
   */
  readonly mayFence: boolean;
}

/** Joins a cluster as a visitor; throws NO_NODES when there was never a node. */
export async function openVisitor(
  world: VisitorWorld,
  settings: VisitorSettings,
): Promise<Visitor> {
  const record = await world.engine.clusterRecords.read();
  if (!record) {
    throw new BackplaneError('NO_NODES', 'no node ever joined a cluster here');
  }
  const visitor = new VisitorRuntime(world, settings, clusterTagOf(record.id));
  await visitor.listen();
  return visitor;
}

class VisitorRuntime implements Visitor {
  readonly #world: VisitorWorld;
  readonly #clusterTag: number;
  readonly #counters = new Counters();
  readonly #id: string;
  readonly #nodes: LiveNodes;
  readonly #requester: Requester;
  readonly #router: DocumentRouter;
  readonly #feeds: Feeds;
  readonly #unlisten: Unlisten;
  #inbox: Subscription | null = null;

  constructor(world: VisitorWorld, settings: VisitorSettings, clusterTag: number) {
    const { engine, clock, random, logger } = world;
    const { bus, sessions, leases } = engine;
    this.#world = world;
    this.#clusterTag = clusterTag;
    this.#id = `visitor-${random.token(10)}`;
    const counters = this.#counters;
    const shared = { bus, sessions, leases, clock, random, logger, counters };
    const { takeoverGraceMs } = dials;
    const inbox = () => this.#id;
    const fastTakeover = settings.mayFence;
    const watch = new SessionWatch({ ...shared, takeoverGraceMs, fastTakeover, inbox });
    const outbox = new Outbox(bus, clusterTag);
    this.#nodes = new LiveNodes({ ...shared, watch });
    const nodes = this.#nodes;
    const requester = new Requester({ ...shared, outbox, watch, inbox });
    this.#requester = requester;
    this.#router = new DocumentRouter({ ...shared, watch, nodes, requester, local: null });
    this.#unlisten = bus.onInterrupted(() => {
      watch.distrustSilence(distrustMs);
      requester.askAgain();
      this.#router.hurry();
    });
    this.#feeds = new Feeds({
      ...shared,
      clusterTag,
      reader: this.#reader(),
      heardAwareness: (doc, changes) => this.#feeds.feed(doc)?.offerAwareness(changes),
      heardAwarenessQuery: () => {},
      interestChanged: () => {},
    });
  }

  async listen(): Promise<void> {
    this.#inbox = await this.#world.engine.bus.subscribe(inboxChannel(this.#id), (published) => {
      const frames = decodeFrames(this.#clusterTag, published, () => {});
      for (const frame of frames) if (frame.kind === 'reply') this.#requester.receive(frame);
    });
  }

  async submit(doc: string, op: OpSubmission, options: RequestOptions = {}): Promise<OpReceipt> {
    checkDocumentName(doc);
    const opId = opIdOf(checkPeer(op.peer), op.counter);
    const { timeoutMs = dials.requestTimeoutMs, signal } = options;
    const { payload } = op;
    if (payload.length > limits.payloadBytesMax) {
      throw new BackplaneError('PAYLOAD_TOO_LARGE', `the payload has ${payload.length} bytes`);
    }
    const routed = { plane: 'op', method: opId, doc, payload, hops: 0, timeoutMs, signal } as const;
    return readReceipt(doc, opId, await this.#router.route(routed));
  }

  async request(
    target: RequestTarget,
    method: string,
    payload: Uint8Array,
    options: RequestOptions = {},
  ): Promise<RequestReport> {
    const { clock, engine } = this.#world;
    const { requestTimeoutMs } = dials;
    const scatter = { nodes: this.#nodes, requester: this.#requester, clock, requestTimeoutMs };
    if (target.kind === 'all') return askAll(scatter, method, payload, options);
    if (target.kind === 'node') {
      const find = (nodeId: string) => findNode(() => engine.sessions.list(), nodeId);
      return askNode(scatter, target.nodeId, find, { method, payload, options });
    }
    const doc = checkDocumentName(target.doc);
    const { timeoutMs = requestTimeoutMs, signal } = options;
    const startedMs = clock.monotonicMs();
    const routed = { plane: 'call', method, doc, payload, hops: 0, timeoutMs, signal } as const;
    const reply = await timed({ clock }, startedMs, '', () => this.#router.route(routed));
    return { replies: [reply], silent: [] };
  }

  async control(
    session: string,
    name: string,
    params: unknown,
    options: RequestOptions = {},
  ): Promise<unknown> {
    const reply = await this.#requester.send({
      session,
      plane: 'control',
      method: name satisfies string as ControlName,
      doc: null,
      direct: true,
      hops: 0,
      payload: Buffer.from(JSON.stringify(params)),
      remainingMs: options.timeoutMs ?? dials.requestTimeoutMs,
      signal: options.signal,
    });
    return parsePlainJson(Buffer.from(reply.payload).toString('utf8'), 'the answer of the node');
  }

  follow(doc: string, from: FollowFrom, follower: Follower): Promise<Following> {
    return this.#feeds.follow(checkDocumentName(doc), from, follower);
  }

  followCache(region: string, listen: (news: CacheNews) => void): Promise<Subscription> {
    return this.#world.engine.bus.subscribe(cacheChannel(checkCacheRegion(region)), (published) => {
      for (const news of readCacheNews(this.#clusterTag, published)) {
        if (news.region === region) listen(news);
      }
    });
  }

  async close(): Promise<void> {
    this.#unlisten();
    await this.#feeds.close();
    this.#requester.failEverything(new BackplaneError('CLOSED', 'the visitor has left'));
    await this.#inbox?.close();
  }

  #reader(): LogReader {
    const read = async (doc: string, after: number, limit: number) => {
      const answer = await this.#askAny('doc.read', { doc, after, limit });
      return answer as { ops: WireOp[]; end: { seq: number; chain: string } };
    };
    return {
      end: async (doc) => {
        try {
          return (await read(doc, Number.MAX_SAFE_INTEGER - 1, 1)).end;
        } catch (error) {
          if (isBackplaneError(error, 'DOCUMENT_UNKNOWN')) return null;
          throw error;
        }
      },
      read: async (doc, after) => {
        try {
          return (await read(doc, after, limits.readOpsMax)).ops.map(fromWire);
        } catch (error) {
          if (isBackplaneError(error, 'DOCUMENT_UNKNOWN')) return [];
          throw error;
        }
      },
    };
  }

  /** Any live node will do: it only reads. One that does not answer is passed over. */
  async #askAny(name: ControlName, params: unknown): Promise<unknown> {
    const failed = new Set<string>();
    for (;;) {
      const node = await this.#nodes.pick(failed);
      try {
        return await this.control(node.id, name, params, { timeoutMs: readTimeoutMs });
      } catch (error) {
        const passedOver = ['NO_RESPONDER', 'RESPONDER_GONE', 'DEADLINE_EXCEEDED'] as const;
        if (!isBackplaneError(error, ...passedOver)) throw error;
        failed.add(node.id);
      }
    }
  }
}

const readTimeoutMs = 5_000;

function fromWire(op: WireOp): StoredOp {
  return { ...op, payload: Buffer.from(op.payload, 'base64') };
}
