import { budgetDefaults } from '../../../../src/verification/budgets.ts';
import { budgetsKept } from '../../../../src/verification/drills/budgets-kept.ts';
import type { DrillReport } from '../../../../src/verification/drills/drill-report.ts';
import type { RunSeries } from '../../../../src/verification/drills/figures/run-series.ts';
import { figuresOf } from '../../../../src/verification/drills/run-figures.ts';
import type { FigureBudgets } from '../../../../src/verification/drills/scenario.ts';
import { judgeHistory } from '../../../../src/verification/judge-history.ts';
import { SeededRandom } from '../../../../src/verification/seeded-random.ts';
import { type Happening, historyText } from '../../../support/history-text.ts';

export interface StoryPlan {
  readonly documents: number;
  readonly opsPerSecond: number;
  /** Loses one acknowledged op when the node is killed. */
  readonly losesOne: boolean;
}

const second = 1_000;
const loadMs = 20 * second;
const killMs = 6 * second;
const backMs = 10 * second;
const cut = { fromMs: 13 * second, toMs: 15 * second };
const settledMs = 44 * second;
const nodes = ['n1', 'n2', 'n3'];

type Timed = Happening & { readonly t: number };

/** A run of 20 s as drills record it: n2 is killed, comes back, and n1 loses its broker for 2 s. */
export class DrillStory {
  readonly #plan: StoryPlan;
  readonly #random = new SeededRandom(7);
  readonly #events: Timed[] = [];
  readonly #logs = new Map<string, { opId: string; epoch: number }[]>();

  constructor(plan: Partial<StoryPlan> = {}) {
    this.#plan = { documents: 6, opsPerSecond: 150, losesOne: false, ...plan };
  }

  happenings(): Happening[] {
    this.#cluster();
    this.#faults();
    this.#owners();
    this.#load();
    this.#final();
    return this.#events.sort((a, b) => a.t - b.t);
  }

  #at(t: number, ev: string, fields: object = {}): void {
    this.#events.push({ t: Math.round(t * 1_000) / 1_000, ev, ...fields });
  }

  #cluster(): void {
    for (const [at, nodeId] of nodes.entries()) {
      this.#at(at * 150, 'node.up', { nodeId });
      this.#at(350 + at * 180, 'session.open', { nodeId, session: `s-${nodeId}` });
    }
    this.#at(killMs + 12, 'node.down', { nodeId: 'n2' });
    this.#at(killMs + 610, 'session.gone', { session: 's-n2' });
    this.#at(backMs, 'node.up', { nodeId: 'n2' });
    this.#at(backMs + 420, 'session.open', { nodeId: 'n2', session: 's-n2-again' });
    this.#at(cut.toMs + 40, 'session.gone', { session: 's-n1' });
    this.#at(cut.toMs + 90, 'session.open', { nodeId: 'n1', session: 's-n1-again' });
  }

  #faults(): void {
    this.#at(killMs, 'fault.start', { id: 'f1', fault: 'kill on n2', recoveryFrom: 'start' });
    this.#at(killMs, 'fault.end', { id: 'f1' });
    const fault = 'partition on n1';
    this.#at(cut.fromMs, 'fault.start', { id: 'f2', fault, recoveryFrom: 'start' });
    this.#at(cut.toMs, 'fault.end', { id: 'f2' });
  }

  #owners(): void {
    for (const [at, doc] of this.#docs().entries()) {
      for (const { fromMs, session, epoch } of this.#reigns(at)) {
        this.#at(fromMs, 'store.fence', { doc, session, epoch, outcome: 'ok' });
        this.#at(fromMs, 'lease.grant', { doc, session, epoch });
      }
    }
  }

  /** Who owns a document, and from when on it is served. */
  #reigns(at: number): { fromMs: number; session: string; epoch: number }[] {
    const home = nodes[at % nodes.length];
    const first = { fromMs: 900 + at * 2, session: `s-${home}`, epoch: 1 };
    const spread = (at * 40) / this.#plan.documents;
    if (home === 'n2') {
      return [first, { fromMs: killMs + 640 + spread, session: 's-n3', epoch: 2 }];
    }
    if (home === 'n1') {
      return [first, { fromMs: cut.fromMs + 1_250 + spread, session: 's-n2-again', epoch: 2 }];
    }
    return [first];
  }

  #load(): void {
    const gapMs = second / this.#plan.opsPerSecond;
    const docs = this.#docs();
    for (let t = 1_000, n = 1; t < loadMs; t += gapMs * (0.5 + this.#random.fraction()), n++) {
      const at = Math.floor(this.#random.fraction() * docs.length);
      this.#op({ doc: docs[at] as string, at, opId: `p${n % 8}:${n}`, t });
    }
  }

  #op({ doc, at, opId, t }: { doc: string; at: number; opId: string; t: number }): void {
    this.#at(t, 'op.invoke', { doc, opId });
    const latencyMs = 1.2 - 1.6 * Math.log(1 - this.#random.fraction());
    const reigns = this.#reigns(at);
    const [first, next] = reigns;
    const lostMs = first?.session === 's-n2' ? killMs : cut.fromMs;
    const waits = next !== undefined && t > lostMs - 2 && t < next.fromMs;
    if (waits && this.#random.fraction() < 0.04) {
      const failure = { code: 'OVERLOADED', certainty: 'definite' };
      this.#at(t + 300, 'op.fail', { doc, opId, ...failure });
      return;
    }
    const servedMs = waits ? next.fromMs + 20 + this.#random.fraction() * 60 : t;
    const log = this.#logs.get(doc) ?? [];
    this.#logs.set(doc, log);
    const epoch = reigns.findLast(({ fromMs }) => fromMs <= servedMs)?.epoch ?? 1;
    log.push({ opId, epoch });
    this.#at(servedMs + latencyMs, 'op.ok', { doc, opId, seq: log.length });
  }

  #final(): void {
    for (const [doc, log] of this.#logs) {
      const kept = this.#plan.losesOne && doc.endsWith('-2') ? log.slice(0, -1) : log;
      for (const [at, { opId, epoch }] of kept.entries()) {
        this.#at(settledMs, 'final.op', { doc, seq: at + 1, epoch, opId });
      }
      this.#at(settledMs, 'final.head', { doc, seq: kept.length });
    }
  }

  #docs(): string[] {
    return Array.from({ length: this.#plan.documents }, (_, at) => `drill-k3f9-${at + 1}`);
  }
}

/** What a drill would report of a history. */
export async function reportOf(
  happenings: readonly Happening[],
  more: Partial<DrillReport> = {},
  budgets: FigureBudgets = { recoveryMs: 2_000, p99Ms: 2_500 },
): Promise<{ report: DrillReport; series: RunSeries }> {
  const pieces = [new TextEncoder().encode(historyText(happenings))];
  const source = { name: 'the history', pieces };
  const judged = await judgeHistory(source, { budgets: { ...budgetDefaults, ...budgets } });
  const run = await figuresOf(source);
  const figures = run.figures();
  const faults = run.faults().map(({ label, ...fault }) => {
    const [name = '', target = ''] = label.split(' on ');
    const evidence = name === 'kill' ? 'the process ended by SIGKILL' : '412 frames were held';
    return { ...fault, fault: name, target, evidence };
  });
  const { outcome } = judged;
  const report: DrillReport = {
    ...{ run: 'k3f9', scenario: 'owner-crash', seed: 4_711 },
    summary: 'the node that owns the documents is killed; another takes over, and no op is lost',
    outcome: outcome === 'holds' ? 'pass' : outcome,
    reason: outcome === 'holds' ? null : judged.reason,
    ...{ startedAt: '2026-03-04T05:06:07.890Z', durationMs: judged.durationMs },
    cluster: { nodes: 3, broker: 'Redis 7.0.15', store: 'redis', attached: null },
    workload: {
      ...{ documents: 6, peers: 8, followers: 3, opsPerSecond: 150, payloadBytes: 120 },
      ...{ awarenessPerSecond: 0, requestsPerSecond: 0, requestTimeoutMs: 5_000, ownedBy: null },
    },
    ...{ figures, faults, laws: judged.laws, history: 'drill-k3f9/history.jsonl' },
    budgets: budgetsKept({ figures, faults }, budgets),
    replay: 'backplane drill run owner-crash --seed 4711',
    ...more,
  };
  return { report, series: run.series(judged.laws) };
}
