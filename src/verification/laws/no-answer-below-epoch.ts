import { formatDuration } from '../../foundation/duration.ts';
import type { EventOf, HistoryEvent } from '../history-event.ts';
import { counted, entryOf, Findings, type Law, type Verdict } from '../law.ts';

type Change = EventOf<'store.fence' | 'lease.grant'>;

/**
 * An owner that was replaced answers for its document no longer than it can trust its lease, which
 * it had renewed for the last time before it was replaced. A write of it is refused by the store;
 * nothing but its own clock keeps it from answering with what it remembers. One that gave the
 * document up answers nothing from that moment on.
 */
export class NoAnswerBelowEpoch implements Law {
  readonly name = 'no-answer-below-epoch';
  readonly promise = 'an owner that was replaced soon answers nothing any more';
  readonly #staleMs: number;
  readonly #findings = new Findings();
  readonly #asked = new Map<string, EventOf<'request.send'>>();
  /** The first sign of every epoch of a document. */
  readonly #changes = new Map<string, Change[]>();
  /** What a session gave up last of a document. */
  readonly #releases = new Map<string, EventOf<'lease.release'>>();

  constructor(staleMs: number) {
    this.#staleMs = staleMs;
  }

  observe(event: HistoryEvent): void {
    switch (event.ev) {
      case 'request.send':
        this.#asked.set(event.id, event);
        return;
      case 'request.end':
        this.#asked.delete(event.id);
        return;
      case 'store.fence':
        if (event.outcome === 'ok') this.#changed(event);
        return;
      case 'lease.grant':
        return this.#changed(event);
      case 'lease.release':
        this.#releases.set(ownerOf(event), event);
        return;
      case 'serve':
        this.#serveOfReleased(event);
        return this.#serve(event);
      default:
        return;
    }
  }

  get violations(): number {
    return this.#findings.violations;
  }

  verdict(): Verdict {
    const { checked } = this.#findings;
    return this.#findings.verdict(
      `${counted(checked, 'answer')} of owners`,
      checked === 0 ? 'no answer of an owner was seen, or of no document who came to own it' : null,
    );
  }

  #changed(event: Change): void {
    const changes = entryOf(this.#changes, event.doc, () => []);
    const last = changes.at(-1);
    if (last === undefined || event.epoch > last.epoch) changes.push(event);
  }

  /** Whoever gives a document up has forgotten it before: there is nothing to wait for. */
  #serveOfReleased(serve: EventOf<'serve'>): void {
    const asked = this.#asked.get(serve.request ?? '');
    const released = this.#releases.get(ownerOf(serve));
    if (asked === undefined || released === undefined) return;
    if (serve.epoch > released.epoch || asked.line < released.line) return;
    this.#findings.violated(
      `${serve.session} answered for ${serve.doc} with epoch ${serve.epoch}, asked after it had given it up`,
      released,
      asked,
      serve,
    );
  }

  /** Answered after it was asked, however long the answer was under way. */
  #serve(serve: EventOf<'serve'>): void {
    const changes = this.#changes.get(serve.doc);
    const asked = this.#asked.get(serve.request ?? '');
    if (changes === undefined || asked === undefined) return;
    this.#findings.checked += 1;
    const at = changes.findLastIndex(({ epoch }) => epoch <= serve.epoch);
    const replaced = changes[at + 1];
    if (replaced === undefined || replaced.atMs + this.#staleMs >= asked.atMs) return;
    const late = formatDuration(asked.atMs - replaced.atMs);
    this.#findings.violated(
      `${serve.session} answered for ${serve.doc} with epoch ${serve.epoch}, asked ${late} after ${replaced.session} had epoch ${replaced.epoch}`,
      replaced,
      asked,
      serve,
    );
  }
}

function ownerOf({ doc, session }: { readonly doc: string; readonly session: string }): string {
  return `${session} ${doc}`;
}
