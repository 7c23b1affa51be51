import { type Clock, sleep } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import { type Budgets, presenceMsOf } from '../budgets.ts';
import { LiveJudge } from '../live-judge.ts';
import { SeededRandom } from '../seeded-random.ts';
import { drillBudgets } from './drill-budgets.ts';
import { recordKeys, recordLeases, recordLogs } from './final-reading.ts';
import type { Ground } from './ground.ts';
import { HistoryRecorder, type Recordable } from './history-recorder.ts';
import { type InjectedFault, StepRunner } from './run-steps.ts';
import type { Scenario, WorkloadPlan } from './scenario.ts';
import { LoadCaches } from './workload/load-caches.ts';
import { LoadPresence } from './workload/load-presence.ts';
import { LoadRelay } from './workload/load-relay.ts';
import {
  type Laggard,
  type OpeningOptions,
  Workload,
  type WorkloadTally,
} from './workload/workload.ts';

export interface DrillOrder {
  readonly scenario: Scenario;
  /** In the names of its documents. */
  readonly run: string;
  readonly seed: number;
  /** Where the history goes. */
  readonly history: string;
  readonly token: string | null;
  openGround(record: (event: Recordable) => void): Promise<Ground>;
}

export interface DrillParts {
  readonly clock: Clock;
  readonly random: Random;
}

export type DrillPhase = 'starting' | 'breaking' | 'settling' | 'reading' | 'ending';

/** How a drill goes, for people who watch it. */
export interface DrillProgress {
  readonly phase: DrillPhase;
  readonly doing: string;
  readonly elapsedMs: number;
  readonly load: WorkloadTally | null;
  readonly faults: readonly { readonly fault: string; readonly target: string }[];
  readonly violations: readonly { readonly law: string; readonly count: number }[];
}

/** What was done; what it proves is said by the history. */
export interface DrillRun {
  readonly startedWallMs: number;
  readonly durationMs: number;
  readonly injected: readonly InjectedFault[];
  readonly problems: readonly string[];
  readonly ground: Pick<Ground, 'broker' | 'logs' | 'attached' | 'unjudged'> & { nodes: number };
}

/** A little more than a budget, so that what is measured is certainly due. */
const slackMs = 250;
const clearingsMax = 3;

/** One rehearsal: starts the load, does what the scenario says, settles, and reads what is left. */
export class Drill {
  readonly #order: DrillOrder;
  readonly #parts: DrillParts;
  readonly #budgets: Budgets;
  readonly #live: LiveJudge;
  readonly #problems: string[] = [];
  readonly #startedMs: number;
  #phase: DrillPhase = 'starting';
  #doing = 'starting the cluster';
  #workload: Workload | null = null;
  #presence: LoadPresence | null = null;
  #steps: StepRunner | null = null;
  #lastDeathMs = Number.NEGATIVE_INFINITY;
  /** Since when no fault has ended any more. */
  #quietSinceMs = 0;

  constructor(order: DrillOrder, parts: DrillParts) {
    this.#order = order;
    this.#parts = parts;
    this.#budgets = drillBudgets(order.scenario);
    this.#live = new LiveJudge(this.#budgets);
    this.#startedMs = parts.clock.monotonicMs();
  }

  progress(): DrillProgress {
    return {
      phase: this.#phase,
      doing: this.#doing,
      elapsedMs: this.#elapsedMs(),
      load: this.#workload?.tally() ?? null,
      faults: this.#steps?.active() ?? [],
      violations: this.#live.violations(),
    };
  }

  /** Leaves nothing behind but the history, however it ends. */
  async run(signal: AbortSignal): Promise<DrillRun> {
    const { clock } = this.#parts;
    const startedWallMs = clock.wallMs();
    const recorder = await HistoryRecorder.open({
      path: this.#order.history,
      clock,
      witness: (event, atMs) => this.#witness(event, atMs),
    });
    try {
      const ground = await this.#order.openGround((event) => recorder.record(event));
      try {
        await this.#rehearse(ground, recorder, signal);
      } finally {
        await this.#presence?.close();
        await this.#workload?.close();
        await ground.close();
      }
      const { broker, logs, attached, unjudged, injector } = ground;
      return {
        startedWallMs,
        durationMs: this.#elapsedMs(),
        injected: this.#steps?.injected ?? [],
        problems: this.#problems,
        ground: { broker, logs, attached, unjudged, nodes: injector.nodes.length },
      };
    } finally {
      await recorder.close();
    }
  }

  async #rehearse(ground: Ground, recorder: HistoryRecorder, signal: AbortSignal): Promise<void> {
    const workload = this.#openWorkload(ground, recorder);
    // Whoever is to own everything is alone until it does.
    await this.#opening(signal, (options) => workload.claim(options));
    await ground.startAll();
    await this.#opening(signal, (options) => workload.open(options));
    if (signal.aborted) return;
    workload.start();
    const caches = await this.#openCaches(ground, recorder);
    caches?.start();
    const relay = this.#openRelay(ground, recorder);
    relay.start();
    const presence = await this.#openPresence(ground, recorder);
    presence.start();
    this.#phase = 'breaking';
    await this.#break(ground, recorder, signal)
      .finally(() => caches?.stop())
      .finally(() => presence.stop())
      .finally(() => relay.stop());
    if (signal.aborted) return;
    this.#phase = 'settling';
    await this.#settle(ground, workload);
    if (signal.aborted) return;
    this.#phase = 'reading';
    await this.#read(ground, workload, recorder);
    this.#problems.push(...(await presence.recordViews()));
    this.#phase = 'ending';
    this.#doing = 'the nodes leave';
    await presence.close();
    await workload.close();
    this.#problems.push(...(await ground.leave()));
  }

  async #opening(
    signal: AbortSignal,
    open: (options: OpeningOptions) => Promise<void>,
  ): Promise<void> {
    const progress = (opened: number, all: number) => {
      this.#doing = `documents are opened: ${opened} of ${all}`;
    };
    await open({ signal, progress });
  }

  #openWorkload(ground: Ground, recorder: HistoryRecorder): Workload {
    const { scenario, seed, token } = this.#order;
    const workload = new Workload({
      plan: scenario.workload,
      urls: ground.urls,
      docNames: this.#documents(),
      recorder,
      clock: this.#parts.clock,
      random: new SeededRandom(seed),
      token,
    });
    this.#workload = workload;
    return workload;
  }

  /** The caches of its nodes are a load of their own. */
  async #openCaches(ground: Ground, recorder: HistoryRecorder): Promise<LoadCaches | null> {
    if (ground.practice === null) return null;
    return new LoadCaches({
      place: ground.practice,
      visitor: await ground.visitor(),
      cacheRecords: ground.engine.cacheRecords,
      recorder,
      clock: this.#parts.clock,
      random: new SeededRandom(this.#order.seed + 2),
    });
  }

  #openRelay({ urls }: Ground, recorder: HistoryRecorder): LoadRelay {
    const { run, token } = this.#order;
    const { clock } = this.#parts;
    return new LoadRelay({ workspace: `drill-${run}`, urls, token, recorder, clock });
  }

  async #openPresence(ground: Ground, recorder: HistoryRecorder): Promise<LoadPresence> {
    const { run, seed, token } = this.#order;
    const { clock } = this.#parts;
    const { urls, engine } = ground;
    const random = new SeededRandom(seed + 3);
    const parts = { urls, engine, token, recorder, clock, random, name: `drill-${run}` };
    this.#presence = new LoadPresence({ ...parts, visitor: await ground.visitor() });
    return this.#presence;
  }

  async #break(ground: Ground, recorder: HistoryRecorder, signal: AbortSignal): Promise<void> {
    const { scenario, seed } = this.#order;
    const [first = ''] = this.#documents();
    const steps = new StepRunner({
      injector: ground.injector,
      recorder,
      clock: this.#parts.clock,
      // Apart from the load, so that neither draws what the other would have drawn.
      random: new SeededRandom(seed + 1),
      owner: () => ground.ownerOf(first),
      says: (text) => {
        this.#doing = text;
      },
    });
    this.#steps = steps;
    try {
      await steps.run(scenario.steps, signal);
    } finally {
      await steps.revertAll();
    }
  }

  /** Until everybody has seen everything, and everything that takes its time has had it. */
  async #settle(ground: Ground, workload: Workload): Promise<void> {
    this.#doing = 'what is under way ends';
    const { settleMs, awarenessMs, cleanupMs } = this.#budgets;
    const { requestTimeoutMs } = this.#order.scenario.workload;
    await workload.stop(Math.max(settleMs, requestTimeoutMs) + slackMs);
    await ground.catchUp();
    const store = await ground.store();
    const heads = new Map<string, number>();
    for (const doc of this.#documents()) heads.set(doc, (await store.head(doc))?.seq ?? 0);
    this.#doing = 'followers catch up';
    const [laggard] = await workload.settle(heads, settleMs + slackMs);
    if (laggard) this.#problems.push(lagging(laggard));
    this.#doing = 'the dead are cleared away';
    await sleep(this.#parts.clock, awarenessMs + slackMs);
    // Whoever dies meanwhile has that time as well; but a cluster that never rests is read at last.
    for (let waits = 0; waits < clearingsMax; waits++) {
      const restMs = Math.max(this.#clearedMs(cleanupMs), this.#seenMs());
      const leftMs = restMs + slackMs - this.#elapsedMs();
      if (leftMs > 0) await sleep(this.#parts.clock, leftMs);
    }
  }

  /** While there are faults nobody has to be cleared away; without a death there is nobody. */
  #clearedMs(cleanupMs: number): number {
    const hasDied = this.#lastDeathMs > Number.NEGATIVE_INFINITY;
    return hasDied ? Math.max(this.#lastDeathMs, this.#quietSinceMs) + cleanupMs : 0;
  }

  /** When every node must see what became of connections while there were faults. */
  #seenMs(): number {
    return this.#quietSinceMs + presenceMsOf(this.#budgets);
  }

  async #read(ground: Ground, workload: Workload, recorder: HistoryRecorder): Promise<void> {
    this.#doing = 'the logs are read';
    await ground.catchUp();
    workload.recordViews();
    const ours = new Set(this.#documents());
    await recordLeases(ground.engine.inspector, recorder, (doc) => ours.has(doc));
    await recordLogs(await ground.store(), this.#documents(), recorder);
    // While nodes live: the last one to leave has nobody who would sweep up after it.
    if (ground.keys !== null) await recordKeys(ground.keys(), recorder);
  }

  #witness(event: Recordable, atMs: number): void {
    this.#live.observe(event, atMs);
    if (event.ev === 'node.down' || event.ev === 'session.gone') {
      this.#lastDeathMs = this.#elapsedMs();
    } else if (event.ev === 'fault.end') {
      this.#quietSinceMs = this.#elapsedMs();
    }
  }

  #documents(): string[] {
    return documentsOf(this.#order.run, this.#order.scenario.workload);
  }

  #elapsedMs(): number {
    return this.#parts.clock.monotonicMs() - this.#startedMs;
  }
}

function lagging({ subscriber, doc, seq, head }: Laggard): string {
  return `${subscriber} has seen ${doc} up to ${seq ?? 'nothing'}, and not to its end, ${head}`;
}

/** The documents of a run, the first one first. */
export function documentsOf(run: string, { documents }: Pick<WorkloadPlan, 'documents'>): string[] {
  return Array.from({ length: documents }, (_, index) => `drill-${run}-${index + 1}`);
}
