import { invariant } from '../foundation/assert.ts';
import { asBackplaneError, BackplaneError } from '../foundation/errors.ts';
import { checkDocumentName, checkNodeId, checkPeer, opIdOf } from '../foundation/identifiers.ts';
import { isoTime } from '../foundation/iso-time.ts';
import { limits, protocol } from '../foundation/limits.ts';
import { sleep } from '../ports/clock.ts';
import type { SessionRecord } from '../ports/sessions.ts';
import { ControlDesk } from './control-desk.ts';
import { Counters } from './counters.ts';
import { documentEngineNamed } from './documents/document-engine.ts';
import { loadDocument } from './documents/load-document.ts';
import { clusterTagOf, type Frame } from './frames.ts';
import { nodeGauges } from './health/node-gauges.ts';
import { nodePulse } from './health/node-pulse.ts';
import { checkReadiness } from './health/readiness.ts';
import { type NodeSelfReport, selfReport } from './health/self-report.ts';
import type { Strain } from './health/strain.ts';
import {
  agreeAgain,
  configHashOf,
  isDeserted,
  joinCluster,
  listening,
  proveAble,
} from './join-cluster.ts';
import type { BackplaneNode, NodeMetrics, Readiness, RequestHandler } from './node.ts';
import { assembleNode, type NodeParts, type NodeWorld } from './node-parts.ts';
import { checkDials, type NodeSettings } from './node-settings.ts';
import type {
  DocumentState,
  Follower,
  FollowFrom,
  Following,
  OpReceipt,
  OpSubmission,
  RequestOptions,
  RequestReport,
  RequestTarget,
} from './reports.ts';
import { askToAcquire } from './requests/ask-to-acquire.ts';
import { Inboxes } from './requests/inboxes.ts';
import { Methods } from './requests/methods.ts';
import { registerOwnMethods } from './requests/own-methods.ts';
import { readReceipt } from './requests/read-receipt.ts';
import { askAll, askNode, findNode, timed } from './requests/scatter.ts';
import { SessionKeeper } from './sessions/session-keeper.ts';
import { distrustMs, type SessionWatch } from './sessions/session-watch.ts';

const drainConcurrency = 128;
const lastRepliesMs = 5_000;

/** The node: starts and stops the parts in order, and is the one door to them. */
export class NodeRuntime implements BackplaneNode {
  readonly nodeId: string;
  readonly #world: NodeWorld;
  readonly #settings: NodeSettings;
  readonly #counters = new Counters();
  readonly #methods = new Methods();
  readonly #drainListeners = new Set<() => void>();
  #parts: NodeParts | null = null;
  #inboxes: Inboxes | null = null;
  #controls: ControlDesk | null = null;
  #connections = 0;
  #draining: Promise<{ documents: number }> | null = null;
  #stopping: Promise<void> | null = null;
  #startedAt = '';

  constructor(world: NodeWorld, settings: NodeSettings) {
    checkDials(settings.dials);
    this.nodeId = checkNodeId(settings.nodeId);
    this.#world = world;
    this.#settings = settings;
  }

  async start(): Promise<void> {
    invariant(this.#parts === null, 'a node is started once');
    const { engine, store, clock } = this.#world;
    await proveAble(engine, store);
    const cluster = await joinCluster(engine.clusterRecords, store, this.#settings, () =>
      isDeserted(engine),
    );
    this.#startedAt = isoTime(clock.wallMs()) ?? '';
    const inboxes = this.#makeInboxes(clusterTagOf(cluster.id));
    this.#inboxes = inboxes;
    const parts = assembleNode(this.#world, this.#settings, cluster, {
      counters: this.#counters,
      methods: this.#methods,
      keeper: (watch, strain) =>
        this.#makeKeeper(watch, strain, inboxes, async (id) => {
          await inboxes.listen(id);
          await agreeAgain(engine.clusterRecords, cluster);
        }),
      controls: () => this.#controlDesk(),
    });
    this.#parts = parts;
    engine.bus.onInterrupted(() => {
      parts.watch.distrustSilence(distrustMs);
      parts.keeper.doubt();
      parts.requester.askAgain();
      parts.router.hurry();
    });
    registerOwnMethods(this, this.#methods);
    await this.#warnOfNamesake();
    await parts.keeper.start();
    parts.documents.start();
    parts.awareness.start();
    parts.probe.start();
    parts.sweeper.start();
  }

  session(): string | null {
    return this.#parts?.keeper.id() ?? null;
  }

  async submit(doc: string, op: OpSubmission, options: RequestOptions = {}): Promise<OpReceipt> {
    checkDocumentName(doc);
    checkPeer(op.peer);
    if (op.payload.length > limits.payloadBytesMax) {
      throw new BackplaneError('PAYLOAD_TOO_LARGE', `the payload has ${op.payload.length} bytes`);
    }
    const opId = opIdOf(op.peer, op.counter);
    const answer = await this.#live().router.route({
      plane: 'op',
      method: opId,
      doc,
      payload: op.payload,
      hops: 0,
      timeoutMs: options.timeoutMs ?? this.#settings.dials.requestTimeoutMs,
      signal: options.signal,
    });
    return readReceipt(doc, opId, answer);
  }

  async request(
    target: RequestTarget,
    method: string,
    payload: Uint8Array,
    options: RequestOptions = {},
  ): Promise<RequestReport> {
    const parts = this.#live();
    const { clock, engine } = this.#world;
    const { requestTimeoutMs } = this.#settings.dials;
    const scatter = { ...parts, clock, requestTimeoutMs };
    if (target.kind === 'all') return askAll(scatter, method, payload, options);
    if (target.kind === 'node') {
      const find = (nodeId: string) => findNode(() => engine.sessions.list(), nodeId);
      return askNode(scatter, target.nodeId, find, { method, payload, options });
    }
    const doc = checkDocumentName(target.doc);
    const timeoutMs = options.timeoutMs ?? requestTimeoutMs;
    const startedMs = clock.monotonicMs();
    const { signal } = options;
    const routed = { plane: 'call', method, doc, payload, hops: 0, timeoutMs, signal } as const;
    const reply = await timed({ clock }, startedMs, this.nodeId, () => parts.router.route(routed));
    return { replies: [reply], silent: [] };
  }

  handle(method: string, handler: RequestHandler): void {
    this.#methods.register(method, handler);
  }

  follow(doc: string, from: FollowFrom, follower: Follower): Promise<Following> {
    checkDocumentName(doc);
    const { feeds, awareness } = this.#live();
    return feeds.follow(doc, from, follower).then((following) => {
      const states = awareness.states(doc);
      if (states.length > 0) follower.awareness?.(states);
      return following;
    });
  }

  async readState(doc: string): Promise<DocumentState> {
    checkDocumentName(doc);
    const { store } = this.#world;
    const head = await store.head(doc);
    if (!head) throw new BackplaneError('DOCUMENT_UNKNOWN', `there is no document "${doc}"`);
    const engine = documentEngineNamed(this.#settings.documentEngine);
    const snapshot = head.snapshotSeq > 0 ? await store.readSnapshot(doc) : null;
    // The snapshot may be newer than the head read before it.
    const end = snapshot && snapshot.seq > head.seq ? { ...head, ...snapshot } : head;
    const memory = await loadDocument(store, engine, end, snapshot);
    return { doc, seq: memory.end.seq, epoch: head.epoch, state: memory.state() };
  }

  setAwareness(doc: string, peer: string, state: Uint8Array | null): void {
    this.#live().awareness.set(checkDocumentName(doc), checkPeer(peer), state);
  }

  async readiness(): Promise<Readiness> {
    if (!this.#parts) {
      const detail = 'the node has not started';
      return { ready: false, checks: [{ name: 'session', ok: false, detail, tookMs: null }] };
    }
    const { sessions } = this.#world.engine;
    return checkReadiness({ ...this.#world, ...this.#parts, sessions });
  }

  metrics(): NodeMetrics {
    const counters = this.#counters.read();
    const own = { connections: this.#connections, isDraining: this.#draining !== null };
    return { counters, gauges: nodeGauges(this.#parts, own) };
  }

  countConnections(connections: number): void {
    this.#connections = connections;
  }

  onDraining(listen: () => void): void {
    this.#drainListeners.add(listen);
  }

  async acquire(doc: string): Promise<{ readonly epoch: number; readonly session: string }> {
    const document = await this.#live().documents.own(checkDocumentName(doc));
    return { epoch: document.epoch, session: document.session };
  }

  ownedEpoch(doc: string): number | null {
    const document = this.#parts?.documents.get(doc) ?? null;
    return document && this.#parts?.keeper.isValid(document.session) ? document.epoch : null;
  }

  async release(doc: string, successor: string | null = null): Promise<{ readonly epoch: number }> {
    const { documents } = this.#live();
    const epoch = documents.get(doc)?.epoch ?? 0;
    await documents.release(doc, successor);
    return { epoch };
  }

  drain(): Promise<{ documents: number }> {
    this.#draining ??= this.#drain(this.#live());
    return this.#draining;
  }

  async #drain(parts: NodeParts): Promise<{ documents: number }> {
    const { documents, keeper, nodes } = parts;
    const self = keeper.id();
    const others = await nodes.list('fresh').catch((): SessionRecord[] => []);
    const successors = others
      .filter(({ id, vitals }) => id !== self && !vitals.draining)
      .map(({ id }) => id);
    const handing = documents.drain(successors, drainConcurrency);
    // The others must know before they choose this node for something new.
    keeper.doubt();
    const count = await handing;
    this.#world.logger.event('info', 'node.drained', { documents: count });
    for (const listen of this.#drainListeners) listen();
    return { documents: count };
  }

  stop(how: 'drain' | 'crash' = 'drain'): Promise<void> {
    this.#stopping ??= this.#stop(how);
    return this.#stopping;
  }

  async #stop(how: 'drain' | 'crash'): Promise<void> {
    const parts = this.#parts;
    if (!parts) return;
    if (how === 'drain') {
      await this.drain().catch((error) => this.#report('node.drain-failed', error));
      const answered = new AbortController();
      const waiting = sleep(this.#world.clock, lastRepliesMs, answered.signal);
      await Promise.race([parts.responder.idle(), waiting]);
      // A timer left behind would keep the application's process alive.
      answered.abort();
    }
    await parts.sweeper.stop(how === 'crash' ? 'crash' : 'leave');
    parts.probe.stop();
    parts.awareness.stop();
    parts.documents.stop();
    const left = parts.keeper.stop(how === 'crash' ? 'crash' : 'leave');
    await left.catch((error) => this.#report('session.leave-failed', error));
    parts.requester.failEverything(new BackplaneError('CLOSED', 'the node has stopped'));
    await parts.feeds.close();
    await this.#inboxes?.keepOnly(null);
    this.#parts = null;
  }

  #makeInboxes(clusterTag: number): Inboxes {
    const { engine, logger } = this.#world;
    const receive = (frame: Frame) => {
      const parts = this.#parts;
      if (!parts) return;
      if (frame.kind === 'request') parts.responder.receive(frame);
      else if (frame.kind === 'reply') parts.requester.receive(frame);
      else if (frame.kind === 'probe') parts.probe.heard(frame.nonce);
    };
    return new Inboxes({ bus: engine.bus, logger, counters: this.#counters, clusterTag, receive });
  }

  #makeKeeper(
    watch: SessionWatch,
    strain: Strain,
    inboxes: Inboxes,
    prepare: (id: string) => Promise<void>,
  ): SessionKeeper {
    const { engine, clock, random, logger } = this.#world;
    return new SessionKeeper({
      ...engine,
      clock,
      random,
      logger,
      strain,
      counters: this.#counters,
      dials: this.#settings.dials,
      describe: () => ({
        nodeId: this.nodeId,
        address: this.#settings.address(),
        pid: this.#settings.pid,
        version: this.#settings.version,
        protocol: protocol.version,
        configHash: configHashOf(this.#settings),
        startedAt: this.#startedAt,
      }),
      vitals: () => ({
        documents: this.#parts?.documents.size ?? 0,
        connections: this.#connections,
        draining: this.#draining !== null,
        deaf: this.#parts?.probe.isDeaf ?? false,
      }),
      prepare,
      lost: (id) => {
        const error = new BackplaneError('SESSION_LOST', `the session ${id} has ended`, {
          certainty: 'indefinite',
        });
        this.#parts?.documents.dropAll(id);
        this.#parts?.sweeper.clearLater(id);
        this.#parts?.requester.failEverything(error);
        watch.distrustSilence(distrustMs);
      },
      opened: (id) => {
        this.#parts?.awareness.reintroduce();
        this.#parts?.router.hurry();
        void inboxes.keepOnly(id);
      },
    });
  }

  #controlDesk(): ControlDesk {
    this.#controls ??= new ControlDesk({
      nodeId: this.nodeId,
      store: this.#world.store,
      session: () => this.#live().keeper.require(),
      readState: (doc) => this.readState(doc),
      acquire: (doc) => this.acquire(doc),
      release: (doc, successor) => this.release(doc, successor),
      requireLive: async (session) => {
        const found = (await this.#live().nodes.list('fresh')).find(({ id }) => id === session);
        if (found) return { nodeId: found.description.nodeId };
        throw new BackplaneError('NODE_DEAD', `the session ${session} is not alive`);
      },
      askToAcquire: (session, doc) => {
        const { requestTimeoutMs } = this.#settings.dials;
        return askToAcquire(this.#live().requester, session, doc, requestTimeoutMs);
      },
      report: (probe) => this.#selfReport(probe),
      pulse: (question) => nodePulse(this.nodeId, this.metrics(), this.#live(), question),
      feed: (doc) => this.#live().feeds.feed(doc),
      drain: () => {
        const documents = this.#live().documents.size;
        this.#settings.drainRequested();
        return { documents };
      },
    });
    return this.#controls;
  }

  async #selfReport(probe: boolean): Promise<NodeSelfReport> {
    const readiness = probe ? await this.readiness() : null;
    const asked = { metrics: this.metrics(), readiness };
    return selfReport(this.#world, this.#settings, this.#live(), asked);
  }

  async #warnOfNamesake(): Promise<void> {
    // Not who was killed a moment ago, and came back as this one.
    const others = await listening(this.#world.engine);
    const namesake = others.find(({ description }) => description.nodeId === this.nodeId);
    if (!namesake) return;
    const { pid, address } = namesake.description;
    const facts = { nodeId: this.nodeId, session: namesake.id, pid, address };
    this.#world.logger.event('warn', 'node.namesake', facts);
  }

  #live(): NodeParts {
    if (this.#parts) return this.#parts;
    throw new BackplaneError('CLOSED', 'the node is not running');
  }

  #report(name: string, thrown: unknown): void {
    const { code, message } = asBackplaneError(thrown);
    this.#world.logger.event('warn', name, { code, message });
  }
}
