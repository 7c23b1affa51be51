import { BackplaneError } from '../../foundation/errors.ts';
import { parseOpId } from '../../foundation/identifiers.ts';
import type { Store } from '../../ports/store.ts';
import type { ControlDesk } from '../control-desk.ts';
import type { Counters } from '../counters.ts';
import type { Documents } from '../documents/documents.ts';
import type { DocumentRouter, LocalOwner, RoutedRequest } from './document-router.ts';
import type { Methods } from './methods.ts';
import type { Answer, IncomingRequest } from './responder.ts';

export interface RequestDeskParts {
  readonly nodeId: string;
  readonly documents: Documents;
  readonly methods: Methods;
  readonly controls: ControlDesk;
  readonly store: Store;
  readonly counters: Counters;
  session(): string | null;
  router(): DocumentRouter;
}

/** Decides what an incoming request is, and does it here or has it routed on. */
export class RequestDesk implements LocalOwner {
  readonly #parts: RequestDeskParts;

  constructor(parts: RequestDeskParts) {
    this.#parts = parts;
  }

  session(): string | null {
    return this.#parts.session();
  }

  willing(): boolean {
    return !this.#parts.documents.isDraining && this.#parts.session() !== null;
  }

  async handle(request: IncomingRequest): Promise<Answer> {
    const { plane, method, doc, payload, direct, hops, remainingMs, signal } = request;
    const { nodeId, controls, methods } = this.#parts;
    if (plane === 'control') return { nodeId, hops, payload: await controls.run(method, payload) };
    if (doc === null) {
      if (plane === 'op') throw new BackplaneError('REQUEST_INVALID', 'an op needs a document');
      return { nodeId, hops, payload: await methods.run({ method, doc, payload, signal }) };
    }
    const routed = { plane, method, doc, payload, hops, timeoutMs: remainingMs, signal };
    return direct ? this.run(routed) : this.#parts.router().route(routed);
  }

  /** As the owner, becoming it if nobody is. */
  async run(request: RoutedRequest & { readonly signal: AbortSignal }): Promise<Answer> {
    const { nodeId, documents, methods, store } = this.#parts;
    const { plane, method, doc, payload, hops, signal } = request;
    if (plane === 'op') {
      const document = await documents.own(doc);
      const applied = await document.submit({ ...parseOpId(method), payload });
      if (applied.duplicate) this.#parts.counters.add('ops_duplicate_total');
      return { nodeId, hops, payload: Buffer.from(JSON.stringify(applied)) };
    }
    // A call must not bring a document into being.
    if (!documents.get(doc) && !(await store.head(doc))) {
      throw new BackplaneError('DOCUMENT_UNKNOWN', `there is no document "${doc}"`);
    }
    await documents.own(doc);
    return { nodeId, hops, payload: await methods.run({ method, doc, payload, signal }) };
  }
}
