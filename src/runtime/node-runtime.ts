import { invariant } from '../foundation/assert.ts';
import { asBackplaneError, BackplaneError } from '../foundation/errors.ts';
import { checkDocumentName, checkNodeId, checkPeer, opIdOf } from '../foundation/identifiers.ts';
import { isoTime } from '../foundation/iso-time.ts';
import { limits, protocol } from '../foundation/limits.ts';
import { sleep } from '../ports/clock.ts';
import type { SessionRecord } from '../ports/sessions.ts';
import { Caches } from './cache/caches.ts';
import type { ControlDesk } from './control-desk.ts';
import { Counters } from './counters.ts';
import { documentEngineNamed } from './documents/document-engine.ts';
import { readDocumentState } from './documents/read-document-state.ts';
import { clusterTagOf, type Frame } from './frames.ts';
import { nodeGauges } from './health/node-gauges.ts';
import { checkReadiness } from './health/readiness.ts';
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
import { nodeControls } from './node-controls.ts';
import { assembleNode, type NodeParts, type NodeWorld } from './node-parts.ts';
import { checkDials, type NodeSettings } from './node-settings.ts';
import type { Presence } from './presence/presence.ts';
import type { Relay } from './relay/relay.ts';
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
import { askTarget } from './requests/ask-target.ts';
import { Inboxes } from './requests/inboxes.ts';
import { Methods } from './requests/methods.ts';
import { registerOwnMethods } from './requests/own-methods.ts';
import { readReceipt } from './requests/read-receipt.ts';
import { SessionKeeper } from './sessions/session-keeper.ts';
import { distrustMs, type SessionWatch } from './sessions/session-watch.ts';

const drainConcurrency = 128;
const lastRepliesMs = 5_000;

/** The node: starts and stops the parts in order, and is the one door to them. */
export class NodeRuntime implements BackplaneNode {
  readonly nodeId: string;
  readonly caches: Caches;
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
    const { cacheRecords: records, bus } = world.engine;
    const { nodeId } = this;
    this.caches = new Caches({ ...world, nodeId, bus, records, counters: this.#counters });
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
      this.caches.interrupted();
      parts.relay.lookAgain();
      parts.presence.interrupted();
    });
    registerOwnMethods(this, this.#methods);
    await this.#warnOfNamesake();
    await parts.keeper.start();
    parts.documents.start();
    parts.awareness.start();
    parts.presence.start();
    parts.probe.start();
    parts.sweeper.start();
    const { clusterTag, outbox } = parts;
    this.caches.start({ clusterTag, encode: (frame) => outbox.encode(frame) });
  }

  get presence(): Presence {
    return this.#live().presence;
  }

  get relay(): Relay {
    return this.#live().relay;
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
    const { requestTimeoutMs } = this.#settings.dials;
    const asking = { world: this.#world, parts: this.#live(), nodeId: this.nodeId };
    return askTarget({ ...asking, requestTimeoutMs }, target, { method, payload, options });
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
    const engine = documentEngineNamed(this.#settings.documentEngine);
    return readDocumentState(this.#world.store, engine, doc);
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
    return checkReadiness({ ...this.#world, ...this.#parts, sessions, caches: this.caches });
  }

  metrics(): NodeMetrics {
    const counters = this.#counters.read();
    const own = { connections: this.#connections, isDraining: this.#draining !== null };
    return { counters, gauges: nodeGauges(this.#parts, this.caches, own) };
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

  async drain(): Promise<{ documents: number }> {
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
    await parts.relay.stop(how === 'crash' ? 'crash' : 'leave');
    await parts.sweeper.stop(how === 'crash' ? 'crash' : 'leave');
    await this.caches.stop();
    await parts.presence.stop(how === 'crash' ? 'crash' : 'leave');
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
      else if (frame.kind === 'relay') parts.relay.receive(frame);
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
        this.#parts?.requester.failEverything(error);
        watch.distrustSilence(distrustMs);
      },
      opened: (id) => {
        this.#parts?.awareness.reintroduce();
        this.#parts?.router.hurry();
        this.#parts?.relay.sessionOpened();
        this.#parts?.presence.opened(id);
        void inboxes.keepOnly(id);
      },
    });
  }

  #controlDesk(): ControlDesk {
    const live = () => this.#live();
    this.#controls ??= nodeControls(this, this.#world, this.#settings, live, this.caches);
    return this.#controls;
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
