import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CacheRecords } from '../../../ports/cache-records.ts';
import { type Clock, repeat, type Timer } from '../../../ports/clock.ts';
import type { Random } from '../../../ports/random.ts';
import type { Visitor } from '../../../runtime/visitor.ts';
import type { HistoryRecorder } from '../history-recorder.ts';
import { type PracticePlace, practice } from '../practice.ts';

export interface LoadCachesParts {
  readonly place: PracticePlace;
  readonly visitor: Visitor;
  readonly cacheRecords: CacheRecords;
  readonly recorder: HistoryRecorder;
  readonly clock: Clock;
  readonly random: Random;
}

const getMs = 60;
const changeMs = 400;
/** A node that stands still answers later than this, or never; then nothing is said about it. */
const patienceMs = 4_000;
/** Requests to nodes that do not answer must not pile up. */
const underWayMax = 64;

/**
 * Changes values and evicts them through one node, and asks all nodes what they serve. The source is
 * a file for each key, written before the eviction.
 */
export class LoadCaches {
  readonly #parts: LoadCachesParts;
  readonly #timers: Timer[] = [];
  #version = 0;
  #asked = 0;
  #underWay = 0;
  /** Which broker answered last, and how often it was another one. */
  #broker: string | null = null;
  #brokers = 0;

  constructor(parts: LoadCachesParts) {
    this.#parts = parts;
  }

  /** Writes the source: before any node is asked. */
  static async prepare({ folder }: PracticePlace): Promise<void> {
    await mkdir(folder, { recursive: true });
    await Promise.all(practice.keys.map((key) => writeFile(join(folder, key), '0')));
  }

  start(): void {
    const { clock } = this.#parts;
    const every = (ms: number, act: () => void) => repeat(clock, () => ms, act);
    this.#timers.push(every(getMs, () => void this.#get().catch(() => {})));
    this.#timers.push(every(changeMs, () => void this.#change().catch(() => {})));
  }

  stop(): void {
    for (const timer of this.#timers.splice(0)) timer.cancel();
  }

  async #change(): Promise<void> {
    const { recorder, place } = this.#parts;
    const { region } = practice;
    const key = this.#pick(practice.keys);
    this.#version += 1;
    const version = this.#version;
    const file = join(place.folder, key);
    await writeFile(`${file}.${version}`, String(version));
    await rename(`${file}.${version}`, file);
    recorder.record({ ev: 'cache.change', region, key, version });
    const { replies } = await this.#ask(this.#pick(place.nodeIds), practice.evictMethod, key);
    if (!replies[0]?.ok) return;
    recorder.record({ ev: 'cache.evicted', region, scope: 'key', key, version });
  }

  async #get(): Promise<void> {
    const { recorder, place } = this.#parts;
    if (this.#underWay >= underWayMax) return;
    const nodeId = this.#pick(place.nodeIds);
    const key = this.#pick(practice.keys);
    this.#asked += 1;
    const id = `g${this.#asked}`;
    const brokers = this.#brokers;
    recorder.record({ ev: 'cache.ask', id, nodeId, region: practice.region, key });
    const { replies } = await this.#ask(nodeId, practice.getMethod, key);
    const payload = replies[0]?.ok ? replies[0].payload : null;
    if (!payload) return;
    // A broker that took another's place meanwhile may have brought back what was evicted.
    await this.#lookWho();
    if (brokers !== this.#brokers) return;
    recorder.record({ ev: 'cache.answer', id, version: Number(Buffer.from(payload).toString()) });
  }

  async #lookWho(): Promise<void> {
    const { broker } = await this.#parts.cacheRecords.look([]);
    if (broker === this.#broker) return;
    const isFirst = this.#broker === null;
    this.#broker = broker;
    if (isFirst) return;
    this.#brokers += 1;
    this.#parts.recorder.record({ ev: 'cache.forgotten' });
  }

  async #ask(nodeId: string, method: string, key: string) {
    this.#underWay += 1;
    try {
      const target = { kind: 'node', nodeId } as const;
      const options = { timeoutMs: patienceMs };
      return await this.#parts.visitor.request(target, method, Buffer.from(key), options);
    } finally {
      this.#underWay -= 1;
    }
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#parts.random.fraction() * from.length)] as T;
  }
}
