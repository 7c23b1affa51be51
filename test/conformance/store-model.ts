import fc from 'fast-check';
import { expect } from 'vitest';
import type { Append, LogEnd, Snapshot, Store, StoredOp } from '../../src/ports/store.ts';
import { bytes, freshId } from './engine-fixture.ts';
import type { DefineLaw } from './law-suite.ts';
import type { StoreFixture } from './store.ts';
import { opsAfter, readAll } from './store-steps.ts';

/** Any run of calls must end as it does in the plainest store there is. */
export function storeModelLaw(law: DefineLaw<StoreFixture>): void {
  law('1 to 5. any run of calls ends as it does in a plain model', async ({ store }) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (steps) => {
        const stem = freshId('doc');
        const model = new StoreModel();
        for (const step of steps) {
          const doc = `${stem}-${step.doc}`;
          const document = model.document(doc);
          expect(await perform(store, doc, document, step)).toEqual(document.perform(doc, step));
        }
        for (const [doc, document] of model.documents) await compare(store, doc, document);
      }),
      { numRuns: 25 },
    );
  });
}

const doc = fc.constantFrom('a', 'b');
const session = fc.constantFrom('s1', 's2');
/** How far a caller's belief is from the truth. */
const error = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.constantFrom(-1, 1));

const step = fc.oneof(
  fc.record({ kind: fc.constant('fence' as const), doc, session, epochOff: error }),
  fc.record({
    kind: fc.constant('append' as const),
    doc,
    session,
    epochOff: error,
    seqOff: error,
    count: fc.integer({ min: 1, max: 4 }),
    peer: fc.constantFrom('p1', 'p2'),
  }),
  fc.record({ kind: fc.constant('snapshot' as const), doc, epochOff: error, seqOff: error }),
);

type StoreStep = typeof step extends fc.Arbitrary<infer Step> ? Step : never;

class StoreModel {
  readonly documents = new Map<string, DocumentModel>();

  document(doc: string): DocumentModel {
    const found = this.documents.get(doc) ?? new DocumentModel();
    this.documents.set(doc, found);
    return found;
  }
}

class DocumentModel {
  epoch = 0;
  session = '';
  ops: StoredOp[] = [];
  snapshot: Snapshot | null = null;

  get end(): LogEnd {
    return { seq: this.ops.length, chain: this.ops.at(-1)?.chain ?? '' };
  }

  head(doc: string) {
    const { epoch, session, snapshot } = this;
    return { doc, epoch, session, ...this.end, snapshotSeq: snapshot?.seq ?? 0 };
  }

  /** What the step asks of the store, from what is true now and how far its caller is off. */
  believed(step: StoreStep): { epoch: number; after: LogEnd } {
    const epoch = Math.max(0, this.epoch + step.epochOff);
    const seqOff = step.kind === 'fence' ? 0 : step.seqOff;
    const after = { ...this.end, seq: Math.max(0, this.end.seq + seqOff) };
    return { epoch, after };
  }

  perform(doc: string, step: StoreStep): unknown {
    const { epoch, after } = this.believed(step);
    switch (step.kind) {
      case 'fence':
        if (epoch !== this.epoch) return { status: 'conflict', epoch: this.epoch };
        this.epoch += 1;
        this.session = step.session;
        return { status: 'fenced', head: this.head(doc), snapshot: this.snapshot };
      case 'append': {
        if (this.epoch === 0 || epoch !== this.epoch || step.session !== this.session) {
          return { status: 'fenced', epoch: this.epoch };
        }
        if (after.seq !== this.end.seq) return { status: 'conflict', end: this.end };
        this.ops.push(...opsAfter(after, step.count, epoch, step.peer));
        return { status: 'appended' };
      }
      case 'snapshot': {
        const isNewer = after.seq > (this.snapshot?.seq ?? 0);
        if (this.epoch === 0 || epoch !== this.epoch || !isNewer) return false;
        this.snapshot = snapshotAt(after);
        return true;
      }
    }
  }
}

function snapshotAt(after: LogEnd): Snapshot {
  return { ...after, data: bytes(`state at ${after.seq}`) };
}

async function perform(
  store: Store,
  doc: string,
  document: DocumentModel,
  step: StoreStep,
): Promise<unknown> {
  const { epoch, after } = document.believed(step);
  switch (step.kind) {
    case 'fence':
      return store.fence(doc, step.session, epoch);
    case 'append': {
      const ops = opsAfter(after, step.count, epoch, step.peer);
      const append: Append = { doc, epoch, session: step.session, after, ops, announcement: null };
      return store.append(append);
    }
    case 'snapshot':
      // Nobody takes a snapshot of nothing.
      if (after.seq === 0) return false;
      return store.saveSnapshot(doc, epoch, snapshotAt(after));
  }
}

async function compare(store: Store, doc: string, document: DocumentModel): Promise<void> {
  expect(await store.head(doc)).toEqual(document.epoch === 0 ? null : document.head(doc));
  expect(await store.readSnapshot(doc)).toEqual(document.snapshot);
  const read = await readAll(store, doc);
  expect(read).toEqual(document.ops);
}
