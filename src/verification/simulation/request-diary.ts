import { asBackplaneError } from '../../foundation/errors.ts';
import type { Coverage } from './coverage.ts';
import type { SimHistory } from './sim-history.ts';
import type { SimProcess } from './sim-process.ts';
import type { Timeline } from './timeline.ts';

/**
 * Tells the history of every request one process makes, and how it ended. A caller that stood still
 * meanwhile, or has died, was told late or never through no fault of the cluster: unknown.
 */
export class RequestDiary {
  readonly #history: SimHistory;
  readonly #coverage: Coverage;
  readonly #process: SimProcess;
  readonly #timeline: Timeline;
  readonly #open = new Set<string>();
  readonly #prefix: string;
  #made = 0;

  constructor(parts: {
    readonly history: SimHistory;
    readonly coverage: Coverage;
    readonly process: SimProcess;
    readonly timeline: Timeline;
    readonly life: number;
  }) {
    this.#history = parts.history;
    this.#coverage = parts.coverage;
    this.#process = parts.process;
    this.#timeline = parts.timeline;
    this.#prefix = `${parts.process.name}#${parts.life}`;
  }

  async follow<T>(timeoutMs: number, make: (id: string) => Promise<T>): Promise<T> {
    this.#made += 1;
    const id = `${this.#prefix}.${this.#made}`;
    const sentMs = this.#timeline.nowMs;
    this.#open.add(id);
    this.#history.record({ ev: 'request.send', id, timeoutMs });
    try {
      const answer = await make(id);
      this.#end(id, sentMs, null);
      return answer;
    } catch (error) {
      this.#end(id, sentMs, asBackplaneError(error).code);
      throw error;
    }
  }

  /** The process has died: nobody knows what its callers would have been told. */
  abandon(): void {
    for (const id of this.#open) {
      this.#history.record({ ev: 'request.end', id, outcome: 'unknown' });
    }
    this.#open.clear();
  }

  #end(id: string, sentMs: number, code: string | null): void {
    if (!this.#open.delete(id)) return;
    if (this.#process.lastResumedMs >= sentMs) {
      this.#history.record({ ev: 'request.end', id, outcome: 'unknown' });
    } else if (code === null) {
      this.#coverage.add('requestsAnswered');
      this.#history.record({ ev: 'request.end', id, outcome: 'ok' });
    } else this.#history.record({ ev: 'request.end', id, outcome: 'failed', code });
  }
}
