import { limits, presenceLimits, presenceTimes } from '../../foundation/limits.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { Registry, RegistryChange } from '../../ports/registry.ts';
import { presenceChannel } from '../channels.ts';
import type { Counters } from '../counters.ts';
import type { Outbox } from '../outbox.ts';
import { recordOf } from './connection.ts';
import type { ConnectionIndex } from './connection-index.ts';

export interface HubWriterParts {
  readonly hub: string;
  readonly nodeId: string;
  readonly registry: Registry;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly counters: Counters;
  /** This node's connections in the hub, as they are now. */
  readonly connections: ConnectionIndex;
  session(): string | null;
  /** Greater than any it gave before. */
  nextVersion(): number;
  /** The broker says that our session is dead. */
  refused(): void;
}

/**
 * Writes this node's connections in one hub to the registry, and tells the other nodes. What
 * changes in one tick, or while a write is under way, travels together.
 *
 * A version is used for one attempt only. So when an answer was lost, and the version found later
 * is one of ours, what was written is known; when it is not, the broker lost data and gets all of
 * it anew.
 */
export class HubWriter {
  readonly #parts: HubWriterParts;
  readonly #dirty = new Set<string>();
  readonly #written = new Set<string>();
  readonly #inDoubt = new Set<number>();
  #confirmed = 0;
  #afresh = false;
  #life = 0;
  #running: Promise<void> | null = null;
  #scheduled: Promise<void> | null = null;
  #retry: Timer | null = null;

  constructor(parts: HubWriterParts) {
    this.#parts = parts;
  }

  /** The version the registry should have; null while that is not known. */
  get confirmed(): number | null {
    const isSettled = this.#running === null && this.#inDoubt.size === 0 && !this.#afresh;
    return isSettled ? this.#confirmed : null;
  }

  /** Nothing is here, and nothing of it is left in the registry. */
  get isDone(): boolean {
    return this.#parts.connections.size === 0 && this.#dirty.size === 0 && this.confirmed === 0;
  }

  /** Resolves when this and all before was tried to be written; never rejects. */
  changed(id: string): Promise<void> {
    this.#dirty.add(id);
    return this.#soon();
  }

  /** Our session is a new one: nothing of it is in the registry yet. */
  reopened(): Promise<void> {
    this.#life += 1;
    this.#confirmed = 0;
    this.#afresh = false;
    this.#inDoubt.clear();
    this.#written.clear();
    this.#dirty.clear();
    for (const { id } of this.#parts.connections.values()) this.#dirty.add(id);
    return this.#soon();
  }

  /** The registry was found to hold something else than we wrote. */
  rewrite(): void {
    this.#afresh = true;
    void this.#soon();
  }

  /** The broker is back. */
  hurry(): void {
    if (this.#dirty.size > 0 || this.#afresh) void this.#soon();
  }

  stop(): void {
    this.#life += 1;
    this.#retry?.cancel();
  }

  #soon(): Promise<void> {
    this.#scheduled ??= new Promise((resolve) => {
      // After all promises that are ready: what they change joins the write.
      process.nextTick(async () => {
        await this.#running;
        this.#scheduled = null;
        this.#running = this.#run().finally(() => {
          this.#running = null;
        });
        await this.#running;
        resolve();
      });
    });
    return this.#scheduled;
  }

  async #run(): Promise<void> {
    this.#retry?.cancel();
    const life = this.#life;
    while (this.#dirty.size > 0 || this.#afresh) {
      const session = this.#parts.session();
      // When there is one again, `reopened` goes on.
      if (session === null) return;
      const goesOn = await this.#write(session);
      if (!goesOn || life !== this.#life) return;
    }
  }

  async #write(session: string): Promise<boolean> {
    const { registry, hub, counters } = this.#parts;
    const life = this.#life;
    const isAfresh = this.#afresh;
    if (isAfresh) this.#writeAll();
    const changes = this.#take();
    if (changes.length === 0 && !isAfresh) return true;
    const version = this.#parts.nextVersion();
    const from = isAfresh ? null : this.#confirmed;
    counters.add('presence_writes_total');
    try {
      const answer = await registry.write({ session, hub, from, version, changes });
      if (life !== this.#life) return false;
      if (answer.status === 'written') {
        this.#wrote(session, { from, version, changes });
        return true;
      }
      this.#putBack(changes);
      if (answer.status === 'conflict') this.#disagreed(answer.version);
      else this.#parts.refused();
      return answer.status === 'conflict';
    } catch {
      if (life !== this.#life) return false;
      this.#inDoubt.add(version);
      this.#putBack(changes);
      this.#retry = this.#parts.clock.after(presenceTimes.retryMs, () => void this.#soon());
      return false;
    }
  }

  #writeAll(): void {
    this.#written.clear();
    this.#dirty.clear();
    for (const { id } of this.#parts.connections.values()) this.#dirty.add(id);
  }

  #take(): RegistryChange[] {
    const changes: RegistryChange[] = [];
    let bytes = 0;
    for (const id of this.#dirty) {
      const connection = this.#parts.connections.get(id);
      const record = connection ? recordOf(connection) : null;
      bytes += id.length + (record?.length ?? 0);
      if (changes.length > 0 && bytes > presenceLimits.changesBytesMax) break;
      this.#dirty.delete(id);
      // It came and went before anybody was told.
      if (record === null && !this.#written.has(id) && this.#inDoubt.size === 0) continue;
      changes.push({ id, record });
      if (changes.length >= limits.registryChangesMax) break;
    }
    return changes;
  }

  #putBack(changes: readonly RegistryChange[]): void {
    for (const { id } of changes) this.#dirty.add(id);
  }

  #wrote(session: string, write: Omit<Written, 'session'>): void {
    this.#afresh = false;
    this.#inDoubt.clear();
    for (const { id, record } of write.changes) {
      if (record === null) this.#written.delete(id);
      else this.#written.add(id);
    }
    // Of a session with nothing in the hub the registry keeps no version.
    this.#confirmed = this.#written.size > 0 ? write.version : 0;
    this.#tell({ session, ...write });
  }

  #disagreed(found: number): void {
    if (this.#inDoubt.has(found)) this.#confirmed = found;
    else this.#afresh = true;
  }

  #tell({ session, from, version, changes }: Written): void {
    const { outbox, hub, nodeId } = this.#parts;
    const rows = changes.map(({ id, record }) => `[${JSON.stringify(id)},${record}]`);
    const payload = Buffer.from(`[${rows.join(',')}]`);
    const frame = { kind: 'presence', hub, nodeId, session, from, version, payload } as const;
    // Whoever misses it finds another version in the registry.
    outbox.send(presenceChannel(hub), frame).catch(() => {});
  }
}

interface Written {
  readonly session: string;
  readonly from: number | null;
  readonly version: number;
  readonly changes: readonly RegistryChange[];
}
