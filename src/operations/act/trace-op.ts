import { opIdOf } from '../../foundation/identifiers.ts';
import { type Clock, sleep } from '../../ports/clock.ts';
import type { Engine } from '../../ports/engine.ts';
import type { RequestOptions } from '../../runtime/reports.ts';
import type { Visitor } from '../../runtime/visitor.ts';
import { feedPositions } from '../diagnose/feed-positions.ts';

/** One op's life: where it went, and when. Times are from the moment it was sent. */
export interface TraceReport {
  readonly doc: string;
  readonly opId: string;
  readonly seq: number;
  readonly epoch: number;
  /** Who ordered and stored it. */
  readonly nodeId: string;
  /** Nodes it passed through before its owner. */
  readonly hops: number;
  readonly steps: readonly TraceStep[];
  /** Nodes with peers on the document that have delivered it to them. */
  readonly delivered: readonly Delivery[];
  /** Nodes that should have, and had not when the wait was over. */
  readonly missing: readonly string[];
  /** Nodes nobody follows the document on: they need not hear of it. */
  readonly uninterested: readonly string[];
}

export interface TraceStep {
  readonly name: 'looked up' | 'acknowledged' | 'published';
  readonly atMs: number;
  readonly detail: string;
}

export interface Delivery {
  readonly nodeId: string;
  /** It had been delivered by then. */
  readonly byMs: number;
  readonly followers: number;
}

export interface TraceParts {
  readonly engine: Pick<Engine, 'sessions' | 'leases'>;
  readonly visitor: Visitor;
  readonly clock: Clock;
  token(): string;
}

export interface TraceOptions extends RequestOptions {
  readonly payload: Uint8Array;
  /** How long the nodes may take to deliver it. */
  readonly waitMs: number;
}

const pollMs = 20;

/** Sends one marked op, and follows it to every node that should deliver it. */
export async function traceOp(
  parts: TraceParts,
  doc: string,
  { payload, waitMs, ...options }: TraceOptions,
): Promise<TraceReport> {
  const { visitor, clock, engine } = parts;
  const peer = `trace-${parts.token()}`;
  const heard = Promise.withResolvers<number>();
  heard.promise.catch(() => {});
  const following = await visitor.follow(doc, 'now', {
    ops: (ops) => {
      if (ops.some((op) => op.peer === peer)) heard.resolve(clock.monotonicMs());
    },
    failed: (error) => heard.reject(error),
  });
  try {
    const before = await feedPositions(parts, doc, options);
    const startedMs = clock.monotonicMs();
    const since = () => Math.round((clock.monotonicMs() - startedMs) * 100) / 100;
    const lease = await engine.leases.read(doc);
    const owner = lease && (await engine.sessions.read(lease.session));
    const name = owner?.description.nodeId ?? 'nobody';
    const lookedUp: TraceStep = { name: 'looked up', atMs: since(), detail: `${name} owns it` };
    const receipt = await visitor.submit(doc, { peer, counter: 1, payload }, options);
    const { seq, epoch, nodeId, hops } = receipt;
    const detail = `${nodeId} stored it as seq ${seq}, epoch ${epoch}`;
    const acknowledged: TraceStep = { name: 'acknowledged', atMs: since(), detail };
    const wanted = before.filter(({ followed, failure }) => followed || failure !== null);
    const outcome = await follow(parts, {
      doc,
      seq,
      wanted: wanted.map((each) => each.session),
      waitMs,
      since,
    });
    const heardMs = await Promise.race([heard.promise, sleep(clock, 1).then(() => null)]);
    const steps = [lookedUp, acknowledged, ...heardStep(heardMs, startedMs)];
    return {
      ...{ doc, opId: opIdOf(peer, 1), seq, epoch, nodeId, hops },
      steps: steps.sort((a, b) => a.atMs - b.atMs),
      delivered: outcome,
      missing: wanted
        .map((each) => each.nodeId)
        .filter((each) => !outcome.some((one) => one.nodeId === each)),
      uninterested: before.filter((each) => !wanted.includes(each)).map((each) => each.nodeId),
    };
  } finally {
    await following.close();
  }
}

function heardStep(heardMs: number | null, startedMs: number): TraceStep[] {
  if (heardMs === null) return [];
  const atMs = Math.round((heardMs - startedMs) * 100) / 100;
  return [{ name: 'published', atMs, detail: 'this command heard it on the channel' }];
}

/** Asks those who should deliver it how far they are, until all are there or the wait is over. */
async function follow(
  parts: TraceParts,
  trace: {
    doc: string;
    seq: number;
    wanted: readonly string[];
    waitMs: number;
    since: () => number;
  },
): Promise<Delivery[]> {
  const delivered: Delivery[] = [];
  const left = new Set(trace.wanted);
  while (left.size > 0) {
    const positions = await feedPositions(parts, trace.doc);
    for (const { session, nodeId, seq, followers } of positions) {
      if (!left.has(session) || seq < trace.seq) continue;
      left.delete(session);
      delivered.push({ nodeId, byMs: trace.since(), followers });
    }
    if (left.size === 0 || trace.since() >= trace.waitMs) break;
    await sleep(parts.clock, pollMs);
  }
  return delivered;
}
