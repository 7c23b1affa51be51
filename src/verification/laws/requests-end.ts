import { formatDuration } from '../../foundation/duration.ts';
import type { EventOf, HistoryEvent } from '../history-event.ts';
import { counted, Findings, type HistoryEnd, type Law, type Verdict } from '../law.ts';

/** Every request ends, once, by its deadline, and a failure has a code. */
export class RequestsEnd implements Law {
  readonly name = 'requests-end';
  readonly promise = 'every request ends by its deadline, in one outcome';
  readonly #latenessMs: number;
  readonly #findings = new Findings();
  readonly #pending = new Map<string, EventOf<'request.send'>>();
  readonly #ended = new Map<string, EventOf<'request.end'>>();
  #sent = 0;

  constructor(latenessMs: number) {
    this.#latenessMs = latenessMs;
  }

  observe(event: HistoryEvent): void {
    if (event.ev === 'request.send') {
      this.#sent += 1;
      this.#pending.set(event.id, event);
      // The id of a request that ended may be used for the next.
      this.#ended.delete(event.id);
    } else if (event.ev === 'request.end') {
      this.#end(event);
    }
  }

  get violations(): number {
    return this.#findings.violations;
  }

  verdict({ atMs }: HistoryEnd): Verdict {
    let undecided = 0;
    for (const send of this.#pending.values()) {
      const lateMs = atMs - this.#dueMs(send);
      if (lateMs <= 0) {
        undecided += 1;
        continue;
      }
      this.#findings.checked += 1;
      const late = formatDuration(lateMs);
      this.#findings.violated(`request ${send.id} had not ended ${late} after its time`, send);
    }
    this.#pending.clear();
    const { checked } = this.#findings;
    const none = this.#sent === 0 ? 'no request was sent' : 'of no request is the outcome known';
    const open = undecided === 0 ? '' : `, ${undecided} still had time`;
    const detail = `${counted(checked, 'request')} ended${open}`;
    return this.#findings.verdict(detail, checked === 0 ? none : null);
  }

  #end(end: EventOf<'request.end'>): void {
    const earlier = this.#ended.get(end.id);
    if (earlier !== undefined) {
      this.#findings.violated(`request ${end.id} ended twice`, earlier, end);
      return;
    }
    const send = this.#pending.get(end.id);
    if (send === undefined) return;
    this.#pending.delete(end.id);
    // The caller was lost: nobody knows what it would have been told.
    if (end.outcome === 'unknown') return;
    this.#ended.set(end.id, end);
    this.#findings.checked += 1;
    const lateMs = end.atMs - this.#dueMs(send);
    if (lateMs > 0) {
      const tookMs = end.atMs - send.atMs;
      const took = `after ${formatDuration(tookMs)}, with a timeout of ${formatDuration(send.timeoutMs)}`;
      this.#findings.violated(`request ${end.id} ended ${took}`, send, end);
    } else if (end.outcome === 'failed' && typeof end.code !== 'string') {
      this.#findings.violated(`request ${end.id} failed without a code`, send, end);
    }
  }

  #dueMs({ atMs, timeoutMs }: EventOf<'request.send'>): number {
    return atMs + timeoutMs + this.#latenessMs;
  }
}
