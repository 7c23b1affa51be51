import { invariant } from '../../../foundation/assert.ts';
import { BackplaneError } from '../../../foundation/errors.ts';
import { type Clock, repeat, sleep, type Timer } from '../../../ports/clock.ts';
import type { Random } from '../../../ports/random.ts';
import type { HistoryRecorder } from '../history-recorder.ts';
import type { WorkloadPlan } from '../scenario.ts';
import { claimDocuments, rotated } from './claim-documents.ts';
import { LoadCounts } from './load-counts.ts';
import { LoadDraw } from './load-draw.ts';
import type { LoadFollower } from './load-follower.ts';
import { LoadGuest } from './load-guest.ts';
import { LoadLine } from './load-line.ts';
import type { LoadSite } from './load-site.ts';
import { Pace } from './pace.ts';
import { Standstill } from './standstill.ts';

export interface WorkloadParts {
  readonly plan: WorkloadPlan;
  readonly urls: readonly string[];
  readonly docNames: readonly string[];
  readonly recorder: HistoryRecorder;
  readonly clock: Clock;
  /** Draws which document, peer and payload; the same seed draws the same load. */
  readonly random: Random;
  readonly token: string | null;
}

export interface OpeningOptions {
  readonly signal?: AbortSignal;
  readonly progress?: (opened: number, all: number) => void;
}

export interface WorkloadTally {
  readonly sent: number;
  readonly acknowledged: number;
  readonly failed: number;
  /** Failed, or never answered, and in the log all the same or not. */
  readonly unknown: number;
  /** Not sent, because too much was under way already. */
  readonly skipped: number;
  readonly underWay: number;
  readonly deliveries: number;
  readonly awareness: number;
  readonly requests: {
    readonly sent: number;
    readonly answered: number;
    readonly failed: number;
    readonly underWay: number;
  };
  /** Acknowledged in the last second, and how long the slowest hundredth of them took. */
  readonly opsPerSecond: number;
  readonly p99Ms: number | null;
  readonly connections: { readonly up: number; readonly all: number };
}

/** A follower that has not heard of the end of a log. */
export interface Laggard {
  readonly subscriber: string;
  readonly doc: string;
  /** Null when it does not follow at all. */
  readonly seq: number | null;
  readonly head: number;
}

/** A node allows 256 on one connection; some are left for a new life that begins before the old one is forgotten. */
const docsPerLine = 240;
const tickMs = 8;
/** Beyond that many ops or requests without an answer, those that are due are left out. */
const underWayMax = 5_000;
const joinsAtOnce = 128;
const joinMsMax = 30_000;
const stopMsMax = 30_000;
const lookMs = 5;

/**
 * The load of a drill: peers that follow documents, send ops and awareness and ask the owners, in
 * an open loop: what is due is sent, however slow the answers are. All of it is recorded.
 */
export class Workload {
  readonly #parts: WorkloadParts;
  readonly #counts = new LoadCounts();
  readonly #site: LoadSite;
  readonly #standstill: Standstill;
  readonly #draw: LoadDraw;
  #lines: LoadLine[] = [];
  #guests: LoadGuest[] = [];
  /** In the order of the documents. */
  #followers: LoadFollower[][] = [];
  #isClaimed = false;
  #isStopped = false;
  #ticking: Timer | null = null;
  #paces: { readonly ops: Pace; readonly awareness: Pace; readonly requests: Pace } | null = null;
  #lastRequest = 0;

  constructor(parts: WorkloadParts) {
    const { plan, docNames, urls, clock, recorder, random } = parts;
    invariant(docNames.length === plan.documents, 'every document of the load has a name');
    invariant(urls.length > 0, 'a load has nodes to connect to');
    this.#parts = parts;
    this.#standstill = new Standstill(clock.monotonicMs());
    this.#site = {
      ...{ recorder, clock, counts: this.#counts, standstill: this.#standstill },
      requestTimeoutMs: plan.requestTimeoutMs,
    };
    this.#draw = new LoadDraw(random, plan.payloadBytes);
  }

  /** Gives every document an owner among the nodes that run now. `open` does it otherwise. */
  async claim({ signal, progress }: OpeningOptions = {}): Promise<void> {
    const { urls, token, docNames } = this.#parts;
    let done = 0;
    await claimDocuments(docNames, {
      ...{ urls, token, site: this.#site },
      signal: signal ?? new AbortController().signal,
      claimed: () => {
        done += 1;
        progress?.(done, docNames.length);
      },
    });
    this.#isClaimed = true;
  }

  /** Connects every peer and resolves when all of them follow their documents. */
  async open({ signal, progress }: OpeningOptions = {}): Promise<void> {
    if (!this.#isClaimed) await this.claim(signal ? { signal } : {});
    this.#connect();
    await this.#connected(signal);
    const all = this.#followers.flat();
    const waiting = all.values();
    let joined = 0;
    const joinAll = async () => {
      for (const follower of waiting) {
        if (signal?.aborted) return;
        follower.open();
        await this.#joined(follower, signal);
        joined += 1;
        progress?.(joined, all.length);
      }
    };
    await Promise.all(Array.from({ length: joinsAtOnce }, joinAll));
  }

  start(): void {
    const { plan, clock } = this.#parts;
    const nowMs = clock.monotonicMs();
    this.#paces = {
      ops: new Pace(plan.opsPerSecond, nowMs),
      awareness: new Pace(plan.awarenessPerSecond, nowMs),
      requests: new Pace(plan.requestsPerSecond, nowMs),
    };
    this.#standstill.tick(nowMs);
    this.#inviteGuests();
    this.#ticking = repeat(
      clock,
      () => tickMs,
      () => this.#tick(),
    );
  }

  /** Sends nothing new but a last state of every peer, and waits for what is under way. */
  async stop(timeoutMs = stopMsMax): Promise<void> {
    this.#paces = null;
    this.#sendGuestsAway();
    if (this.#parts.plan.awarenessPerSecond > 0) {
      for (const follower of this.#followers.flat()) follower.setAwareness();
    }
    const { counts } = this.#site;
    await this.#until(() => counts.underWay + counts.requestsUnderWay === 0, timeoutMs);
    this.#isStopped = true;
  }

  /** Until every follower has seen the end of its log; answers those that have not. */
  async settle(heads: ReadonlyMap<string, number>, timeoutMs: number): Promise<Laggard[]> {
    let waiting = this.#followers.flat();
    await this.#until(() => {
      waiting = waiting.filter(({ doc, seq }) => seq === null || seq < (heads.get(doc) ?? 0));
      return waiting.length === 0;
    }, timeoutMs);
    return waiting.map(({ doc, seq, subscriber }) => ({
      ...{ doc, seq, subscriber },
      head: heads.get(doc) ?? 0,
    }));
  }

  /** What each follower sees of the others of its document. */
  recordViews(): void {
    if (this.#parts.plan.awarenessPerSecond === 0) return;
    for (const follower of this.#followers.flat()) follower.recordView();
  }

  tally(): WorkloadTally {
    const { sent, acknowledged, failed, doubtful, skipped, underWay, ...counts } = this.#counts;
    const { acks, p99Ms } = this.#counts.recent.lastSecond(this.#parts.clock.monotonicMs());
    return {
      ...{ sent, acknowledged, failed, skipped, underWay },
      unknown: doubtful + (this.#isStopped ? underWay : 0),
      deliveries: counts.deliveries,
      awareness: counts.awareness,
      requests: {
        sent: counts.requestsSent,
        answered: counts.requestsAnswered,
        failed: counts.requestsFailed,
        underWay: counts.requestsUnderWay,
      },
      opsPerSecond: acks,
      p99Ms,
      connections: {
        up: this.#lines.filter(({ isUp }) => isUp).length,
        all: this.#lines.length,
      },
    };
  }

  /** Twice is once. */
  async close(): Promise<void> {
    this.#paces = null;
    this.#isStopped = true;
    this.#sendGuestsAway();
    this.#ticking?.cancel();
    await Promise.all(this.#lines.map((line) => line.close()));
  }

  #inviteGuests(): void {
    const { plan, urls, token, docNames: docs, random } = this.#parts;
    for (let index = 0; index < (plan.guests ?? 0); index++) {
      const url = urls[index % urls.length] as string;
      this.#guests.push(new LoadGuest({ url, token, docs, random, site: this.#site }));
    }
  }

  #sendGuestsAway(): void {
    for (const guest of this.#guests.splice(0)) guest.close();
  }

  async #connected(signal: AbortSignal | undefined): Promise<void> {
    let failure: unknown = null;
    for (const line of this.#lines) {
      line.connected().catch((error) => {
        failure ??= error;
      });
    }
    const isDone = () =>
      failure !== null || signal?.aborted || this.#lines.every(({ isUp }) => isUp);
    const inTime = await this.#until(() => isDone() === true, joinMsMax);
    if (failure !== null) throw failure;
    if (!inTime)
      throw new BackplaneError('INCONCLUSIVE', 'the peers could not connect within 30 s');
  }

  #connect(): void {
    const { plan, docNames, urls, token } = this.#parts;
    const followers = Math.min(plan.followers, plan.peers);
    const docsOf: string[][] = Array.from({ length: plan.peers }, () => []);
    for (const [index, doc] of docNames.entries()) {
      for (let turn = 0; turn < followers; turn++) {
        docsOf[(index + turn) % plan.peers]?.push(doc);
      }
    }
    for (const [index, docs] of docsOf.entries()) {
      const peer = `peer-${index + 1}`;
      for (let at = 0; at < docs.length; at += docsPerLine) {
        this.#lines.push(
          new LoadLine({
            ...{ peer, token, site: this.#site },
            urls: rotated(urls, index + at / docsPerLine),
            docs: docs.slice(at, at + docsPerLine),
          }),
        );
      }
    }
    const byDoc = Map.groupBy(
      this.#lines.flatMap((line) => line.followers),
      ({ doc }) => doc,
    );
    this.#followers = docNames.map((doc) => byDoc.get(doc) ?? []);
  }

  async #joined(follower: LoadFollower, signal: AbortSignal | undefined): Promise<void> {
    const isDone = () => follower.isJoined || signal?.aborted === true;
    if (await this.#until(isDone, joinMsMax)) return;
    const why = `${follower.subscriber} could not follow ${follower.doc} within 30 s`;
    throw new BackplaneError('INCONCLUSIVE', why);
  }

  #tick(): void {
    const nowMs = this.#parts.clock.monotonicMs();
    this.#standstill.tick(nowMs);
    if (this.#paces === null) return;
    const { ops, awareness, requests } = this.#paces;
    for (let due = ops.take(nowMs); due > 0; due--) this.#sendOp();
    for (let due = awareness.take(nowMs); due > 0; due--) {
      this.#draw.awarenessOf(this.#followers).setAwareness();
    }
    for (let due = requests.take(nowMs); due > 0; due--) this.#ask();
  }

  #sendOp(): void {
    const { follower, payload } = this.#draw.op(this.#followers);
    if (this.#counts.underWay < underWayMax) follower.send(payload);
    else this.#counts.skipped += 1;
  }

  #ask(): void {
    const follower = this.#draw.requestOf(this.#followers);
    if (this.#counts.requestsUnderWay >= underWayMax) return;
    this.#lastRequest += 1;
    void follower.request(`r${this.#lastRequest}`);
  }

  /** Whether it came true in time. */
  async #until(isTrue: () => boolean, timeoutMs: number): Promise<boolean> {
    const { clock } = this.#parts;
    const untilMs = clock.monotonicMs() + timeoutMs;
    while (!isTrue()) {
      if (clock.monotonicMs() > untilMs) return false;
      await sleep(clock, lookMs);
    }
    return true;
  }
}
