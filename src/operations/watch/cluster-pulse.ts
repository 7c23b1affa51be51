import { isoTime } from '../../foundation/iso-time.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Inspector } from '../../ports/inspector.ts';
import type { SessionRecord, Sessions } from '../../ports/sessions.ts';
import type { NodePulse, PulseQuestion } from '../../runtime/health/node-pulse.ts';
import type { Visitor } from '../../runtime/visitor.ts';
import { withDeadline } from '../../runtime/with-deadline.ts';
import { type NodeReport, type NodeState, reportNodes } from '../inspect/list-nodes.ts';
import { addCounts, latencyPercentile } from './latency-percentile.ts';
import { NodeMeter, round } from './node-meter.ts';
import type {
  DocumentPulse,
  DocumentsPulse,
  NodePulseReport,
  PulseReport,
  PulseTotals,
} from './pulse-report.ts';

export interface ClusterPulseParts {
  readonly sessions: Sessions;
  readonly inspector: Inspector;
  readonly visitor: Visitor;
  readonly clock: Clock;
}

/** Which documents to tell of. */
export type PulseWish = PulseQuestion['documents'];

/** Who has not answered by then is shown as silent; the picture does not wait for it. */
const answerMsMax = 700;
/** The broker is gone when a look takes longer. */
const lookMsMax = 2_500;
/** One answer that is late is no news; after so many a node is called mute. */
const missesMax = 2;
/** A mute node is asked only now and then: asking it costs more than asking others. */
const restLooks = 5;

/**
 * Looks at a cluster again and again, cheaply. A look lists the sessions (two commands, and one a
 * session), pings the broker, and asks each live node for its pulse (one message there, one back):
 * `4 + sessions + 2 x live nodes` broker commands, however many documents there are. Writes nothing.
 */
export class ClusterPulse {
  readonly #parts: ClusterPulseParts;
  readonly #heartbeatMs: number | undefined;
  readonly #meters = new Map<string, NodeMeter>();
  /** Of sessions that did not answer the last time. */
  readonly #misses = new Map<string, Misses>();
  #seqs = new Map<string, { seq: number; epoch: number }>();
  #lastMs: number | null = null;

  constructor(parts: ClusterPulseParts, heartbeatMs?: number) {
    this.#parts = parts;
    this.#heartbeatMs = heartbeatMs;
  }

  /**
   * What the sessions alone say, for a first picture that waits for no node: rates come with the
   * looks. Throws BACKPLANE_UNREACHABLE, BACKPLANE_LOST.
   */
  async glance(): Promise<PulseReport> {
    const startedMs = this.#parts.clock.monotonicMs();
    const { records, brokerMs } = await this.#readSessions();
    return this.#report({ records, brokerMs, startedMs, asked: 0, answers: new Map(), wish: null });
  }

  /** One look. Throws BACKPLANE_UNREACHABLE, BACKPLANE_LOST. */
  async look(wish: PulseWish = null): Promise<PulseReport> {
    const startedMs = this.#parts.clock.monotonicMs();
    const { records, brokerMs } = await this.#readSessions();
    const live = records.filter(({ state }) => state === 'live');
    const asked = live.filter(({ id }) => this.#mayAsk(id));
    const answers = new Map(
      await Promise.all(asked.map(async ({ id }) => [id, await this.#ask(id, wish)] as const)),
    );
    this.#forgetAllBut(live);
    const report = { records, brokerMs, startedMs, asked: asked.length, answers, wish };
    return this.#report(report);
  }

  async #readSessions(): Promise<{ records: SessionRecord[]; brokerMs: number }> {
    const { clock, sessions, inspector } = this.#parts;
    const looking = Promise.all([sessions.list(), inspector.ping()]);
    const [records, brokerMs] = await withDeadline(clock, lookMsMax, looking);
    return { records, brokerMs };
  }

  #report(looked: Looked): PulseReport {
    const { records, brokerMs, startedMs, asked, answers, wish } = looked;
    const { clock } = this.#parts;
    const nowMs = clock.monotonicMs();
    const overMs = this.#lastMs === null ? null : Math.round(nowMs - this.#lastMs);
    this.#lastMs = nowMs;
    const nodes = this.#nodes(records, answers);
    return {
      at: isoTime(clock.wallMs()) ?? '',
      overMs,
      totals: this.#totals(nodes, answers, round(brokerMs)),
      nodes,
      documents: wish && this.#documents(answers, wish.limit, overMs),
      cost: {
        brokerCommands: 4 + records.length + 2 * asked,
        tookMs: round(nowMs - startedMs),
      },
    };
  }

  #mayAsk(session: string): boolean {
    const missed = this.#misses.get(session);
    if (!missed || missed.rest === 0) return true;
    missed.rest -= 1;
    return false;
  }

  async #ask(session: string, documents: PulseWish): Promise<Answer | null> {
    const { visitor, clock } = this.#parts;
    const sentMs = clock.monotonicMs();
    try {
      const asking = visitor.control(
        session,
        'node.pulse',
        { documents },
        { timeoutMs: answerMsMax },
      );
      const pulse = (await withDeadline(clock, answerMsMax, asking)) as NodePulse;
      const atMs = clock.monotonicMs();
      this.#misses.delete(session);
      const meter = this.#meters.get(session) ?? new NodeMeter();
      this.#meters.set(session, meter);
      meter.read(pulse, atMs);
      return { pulse, meter, answerMs: round(atMs - sentMs) };
    } catch {
      // Gone, standing still, or of a version that does not know the question: its row says so.
      const count = (this.#misses.get(session)?.count ?? 0) + 1;
      this.#misses.set(session, { count, rest: count >= missesMax ? restLooks : 0 });
      return null;
    }
  }

  #forgetAllBut(live: readonly SessionRecord[]): void {
    const ids = new Set(live.map(({ id }) => id));
    for (const id of this.#meters.keys()) if (!ids.has(id)) this.#meters.delete(id);
    for (const id of this.#misses.keys()) if (!ids.has(id)) this.#misses.delete(id);
  }

  #nodes(records: readonly SessionRecord[], answers: Answers): NodePulseReport[] {
    return reportNodes(records, this.#heartbeatMs)
      .filter(({ cause }) => cause !== 'left')
      .map((node) => {
        const isMute = (this.#misses.get(node.session)?.count ?? 0) >= missesMax;
        return nodePulseReport(node, answers.get(node.session) ?? null, isMute);
      })
      .sort(byStanding);
  }

  #totals(
    nodes: readonly NodePulseReport[],
    answers: Answers,
    brokerMs: number | null,
  ): PulseTotals {
    const count = (state: NodeState) => nodes.filter((node) => node.state === state).length;
    const alive = nodes.filter(({ state }) => state !== 'dead');
    const latencies = addCounts(
      [...answers.values()].flatMap((answer) => (answer ? [answer.meter.latencies()] : [])),
    );
    return {
      nodes: {
        live: count('live'),
        silent: count('silent'),
        draining: count('draining'),
        deaf: count('deaf'),
        dead: count('dead'),
      },
      documents: sum(alive.map(({ documents }) => documents)) ?? 0,
      connections: sum(alive.map(({ connections }) => connections)) ?? 0,
      opsPerSecond: sum(nodes.map((node) => node.opsPerSecond)),
      requestsPerSecond: sum(nodes.map((node) => node.requestsPerSecond)),
      awarenessPerSecond: sum(nodes.map((node) => node.awarenessPerSecond)),
      presencePerSecond: sum(nodes.map((node) => node.presencePerSecond)),
      p50Ms: latencyPercentile(latencies, 0.5),
      p99Ms: latencyPercentile(latencies, 0.99),
      brokerMs,
    };
  }

  #documents(answers: Answers, limit: number, overMs: number | null): DocumentsPulse {
    const seqs = new Map<string, { seq: number; epoch: number }>();
    let matching = 0;
    const rows: DocumentPulse[] = [];
    for (const answer of answers.values()) {
      if (!answer?.pulse.documents) continue;
      matching += answer.pulse.documents.matching;
      for (const row of answer.pulse.documents.rows) {
        const before = this.#seqs.get(row.doc);
        const grown = before && row.epoch >= before.epoch ? row.seq - before.seq : null;
        const known = grown !== null && overMs !== null && overMs > 0;
        seqs.set(row.doc, row);
        const opsPerSecond = known ? round(Math.max(0, grown) / (overMs / 1_000)) : null;
        rows.push({ ...row, nodeId: answer.pulse.nodeId, opsPerSecond });
      }
    }
    this.#seqs = seqs;
    rows.sort((a, b) => a.usedAgoMs - b.usedAgoMs);
    return { matching, rows: rows.slice(0, limit) };
  }
}

interface Answer {
  readonly pulse: NodePulse;
  readonly meter: NodeMeter;
  readonly answerMs: number;
}

type Answers = ReadonlyMap<string, Answer | null>;

interface Misses {
  readonly count: number;
  /** Looks to come that leave it out. */
  rest: number;
}

interface Looked {
  readonly records: readonly SessionRecord[];
  readonly brokerMs: number;
  readonly startedMs: number;
  readonly asked: number;
  readonly answers: Answers;
  readonly wish: PulseWish;
}

function nodePulseReport(
  node: NodeReport,
  answer: Answer | null,
  isMute: boolean,
): NodePulseReport {
  const { pulse, meter } = answer ?? {};
  const alive = node.state !== 'dead';
  return {
    ...node,
    // Its own word is newer than its last beat.
    documents: alive ? (pulse?.gauges.documents_owned ?? node.documents) : 0,
    connections: alive ? (pulse?.gauges.connections ?? node.connections) : 0,
    answered: alive && !isMute,
    answerMs: answer?.answerMs ?? null,
    opsPerSecond: meter?.rate('ops_appended_total') ?? null,
    requestsPerSecond: meter?.rate('requests_handled_total', 1) ?? null,
    awarenessPerSecond: meter?.rate('awareness_sent_total') ?? null,
    presencePerSecond: meter?.rate('presence_writes_total') ?? null,
    p99Ms: meter ? latencyPercentile(meter.latencies(), 0.99) : null,
    followed: pulse?.gauges.documents_followed ?? null,
    pending: pulse?.gauges.requests_pending ?? null,
    troubles: meter?.troubles() ?? {},
  };
}

/** Of those that are known; null when none is. */
function sum(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : round(known.reduce((total, value) => total + value, 0));
}

function byStanding(a: NodeReport, b: NodeReport): number {
  const dead = Number(a.state === 'dead') - Number(b.state === 'dead');
  if (dead !== 0) return dead;
  if (a.nodeId === b.nodeId) return a.startedAt < b.startedAt ? -1 : 1;
  return a.nodeId < b.nodeId ? -1 : 1;
}
