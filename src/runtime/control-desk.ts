import { BackplaneError } from '../foundation/errors.ts';
import { checkDocumentName } from '../foundation/identifiers.ts';
import { limits } from '../foundation/limits.ts';
import { parsePlainJson } from '../foundation/plain-json.ts';
import type { InspectableStore } from '../ports/engine.ts';
import type { StoredOp } from '../ports/store.ts';
import type { Awareness } from './awareness/awareness.ts';
import { awarenessControls } from './awareness/awareness-controls.ts';
import { cacheControls } from './cache/cache-controls.ts';
import type { Caches } from './cache/caches.ts';
import type { ControlName, DocumentDescription, WireOp } from './controls.ts';
import type { Feed } from './documents/feed.ts';
import { type NodePulse, type PulseQuestion, readPulseQuestion } from './health/node-pulse.ts';
import type { NodeSelfReport } from './health/self-report.ts';
import type { Presence } from './presence/presence.ts';
import { presenceControls } from './presence/presence-controls.ts';
import type { Relay } from './relay/relay.ts';
import { relayControls } from './relay/relay-controls.ts';
import type { DocumentState } from './reports.ts';

export interface ControlDeskParts {
  readonly nodeId: string;
  readonly store: InspectableStore;
  session(): string;
  readState(doc: string): Promise<DocumentState>;
  acquire(doc: string): Promise<{ readonly epoch: number; readonly session: string }>;
  release(doc: string, successor: string | null): Promise<{ readonly epoch: number }>;
  /** Asks the successor to take what was handed to it. */
  requireLive(session: string): Promise<{ readonly nodeId: string }>;
  askToAcquire(session: string, doc: string): Promise<{ readonly epoch: number }>;
  drain(): { readonly documents: number };
  readonly caches: Caches;
  awareness(): Awareness;
  presence(): Presence;
  relay(): Relay;
  report(probe: boolean): Promise<NodeSelfReport>;
  pulse(question: PulseQuestion): NodePulse;
  feed(doc: string): Pick<Feed, 'end' | 'followers'> | null;
}

type Params = Readonly<Record<string, unknown>>;

const stateBytesMax = 262_144;

/**
 * Does what operators ask of this node (`controls.ts`). Whatever arrives is checked here, field by
 * field, before anything is done.
 */
export class ControlDesk {
  readonly #parts: ControlDeskParts;
  readonly #controls: ReadonlyMap<string, (params: Params) => Promise<unknown>>;

  constructor(parts: ControlDeskParts) {
    this.#parts = parts;
    const table: Record<ControlName, (params: Params) => Promise<unknown>> = {
      'doc.read': (params) => this.#readOps(params),
      'doc.feed': (params) => this.#feed(params),
      'doc.describe': (params) => this.#describe(params),
      'docs.page': (params) => this.#page(params),
      'lease.acquire': (params) => this.#acquire(params),
      'lease.release': (params) => this.#release(params),
      'lease.move': (params) => this.#move(params),
      'node.drain': (params) => this.#drain(params),
      ...cacheControls(parts.caches),
      ...awarenessControls(() => parts.awareness()),
      ...presenceControls(() => parts.presence()),
      ...relayControls(() => parts.relay()),
      'node.report': (params) => this.#report(params),
      'node.pulse': async (params) =>
        this.#parts.pulse(readPulseQuestion(only(params, ['documents']))),
    };
    this.#controls = new Map(Object.entries(table));
  }

  async run(name: string, payload: Uint8Array): Promise<Uint8Array> {
    const control = this.#controls.get(name);
    if (!control) throw new BackplaneError('METHOD_UNKNOWN', 'this node knows no such control');
    const params = parsePlainJson(Buffer.from(payload).toString('utf8'), 'the parameters');
    if (typeof params !== 'object' || params === null || Array.isArray(params)) {
      throw new BackplaneError('REQUEST_INVALID', 'the parameters are not an object');
    }
    return Buffer.from(JSON.stringify(await control(params as Params)));
  }

  async #readOps(params: Params) {
    const { doc, after, limit } = only(params, ['doc', 'after', 'limit']);
    const name = checkDocumentName(doc);
    const from = count(after, 'after');
    const head = await this.#parts.store.head(name);
    if (!head) throw unknownDocument(name);
    const wanted = Math.max(1, Math.min(count(limit, 'limit'), limits.readOpsMax));
    const ops = await this.#parts.store.read(name, from, wanted);
    return { ops: fitting(ops), end: { seq: head.seq, chain: head.chain } };
  }

  async #describe(params: Params): Promise<DocumentDescription> {
    const doc = checkDocumentName(only(params, ['doc']).doc);
    const head = await this.#parts.store.head(doc);
    if (!head) throw unknownDocument(doc);
    const { state } = await this.#parts.readState(doc);
    const { seq, epoch, session, snapshotSeq, chain } = head;
    const shown = state === null || state.length > stateBytesMax ? null : state;
    return { doc, seq, epoch, writer: session, snapshotSeq, chain, state: shown };
  }

  async #page(params: Params) {
    const { from, limit } = only(params, ['from', 'limit']);
    if (from !== null && typeof from !== 'string') {
      throw new BackplaneError('REQUEST_INVALID', '"from" is a cursor or null');
    }
    const wanted = Math.max(1, Math.min(count(limit, 'limit'), limits.readOpsMax));
    return this.#parts.store.documents(from, wanted);
  }

  async #acquire(params: Params) {
    const doc = checkDocumentName(only(params, ['doc']).doc);
    const { epoch, session } = await this.#parts.acquire(doc);
    return { doc, session, nodeId: this.#parts.nodeId, epoch };
  }

  async #release(params: Params) {
    const doc = checkDocumentName(only(params, ['doc']).doc);
    return { doc, ...(await this.#parts.release(doc, null)) };
  }

  async #move(params: Params) {
    const { doc, session } = only(params, ['doc', 'session']);
    const name = checkDocumentName(doc);
    if (typeof session !== 'string') {
      throw new BackplaneError('REQUEST_INVALID', '"session" names the session to move to');
    }
    const { nodeId } = await this.#parts.requireLive(session);
    await this.#parts.release(name, session);
    const { epoch } = await this.#parts.askToAcquire(session, name);
    return { doc: name, session, nodeId, epoch };
  }

  async #feed(params: Params) {
    const feed = this.#parts.feed(checkDocumentName(only(params, ['doc']).doc));
    return { followed: feed !== null, seq: feed?.end.seq ?? 0, followers: feed?.followers ?? 0 };
  }

  async #report(params: Params) {
    return this.#parts.report(only(params, ['probe']).probe === true);
  }

  async #drain(params: Params) {
    only(params, []);
    return this.#parts.drain();
  }
}

function only(params: Params, known: readonly string[]): Params {
  for (const key of Object.keys(params)) {
    if (known.includes(key)) continue;
    throw new BackplaneError('REQUEST_INVALID', `unknown parameter ${JSON.stringify(key)}`);
  }
  return params;
}

function count(value: unknown, name: string): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new BackplaneError('REQUEST_INVALID', `"${name}" is a whole number from 0`);
}

function unknownDocument(doc: string): BackplaneError {
  return new BackplaneError('DOCUMENT_UNKNOWN', `there is no document "${doc}"`);
}

/** As many ops as one reply may carry; at least one, however large. */
function fitting(ops: readonly StoredOp[]): WireOp[] {
  const wire: WireOp[] = [];
  let bytes = 0;
  for (const { payload, ...op } of ops) {
    bytes += payload.length * 1.4 + 200;
    if (wire.length > 0 && bytes > limits.frameBytesMax / 2) break;
    wire.push({ ...op, payload: Buffer.from(payload).toString('base64') });
  }
  return wire;
}
