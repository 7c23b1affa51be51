import type { EventOf, HistoryEvent } from '../history-event.ts';
import { counted, entryOf, Findings, type Law, type Verdict } from '../law.ts';

interface Frame {
  readonly send: EventOf<'relay.send'>;
  delivered: EventOf<'relay.deliver'> | null;
  end: EventOf<'relay.end'> | null;
}

/** A frame of a workspace arrives once and in order, and what its sender is told of it is true. */
export class RelayFramesOnce implements Law {
  readonly name = 'relay-frames-once';
  readonly promise =
    'a relay frame arrives at most once, in order, and its sender is told what became of it';
  readonly #settleMs: number;
  readonly #findings = new Findings();
  /** Frames that are not over, by sender and number. */
  readonly #open = new Map<string, Map<number, Frame>>();
  /** What a receiver got last from a sender. */
  readonly #last = new Map<string, EventOf<'relay.deliver'>>();

  /** A frame whose end was not told after so long never ends. */
  constructor(settleMs: number) {
    this.#settleMs = settleMs;
  }

  observe(event: HistoryEvent): void {
    switch (event.ev) {
      case 'relay.send':
        this.#framesOf(event).set(event.frame, { send: event, delivered: null, end: null });
        return;
      case 'relay.deliver':
        return this.#delivered(event);
      case 'relay.end':
        return this.#ended(event);
      default:
    }
  }

  #delivered(event: EventOf<'relay.deliver'>): void {
    const frame = this.#framesOf(event).get(event.frame);
    const what = `frame ${event.frame} of ${event.sender}`;
    this.#findings.checked += 1;
    if (!frame) return this.#findings.violated(`${what} was never sent`, event);
    if (frame.delivered) {
      return this.#findings.violated(`${what} arrived twice`, frame.delivered, event);
    }
    frame.delivered = event;
    if (frame.end?.outcome === 'unsent') {
      this.#findings.violated(`${what} arrived though it was called unsent`, frame.end, event);
    }
    const key = `${event.sender} ${event.receiver}`;
    const before = this.#last.get(key);
    this.#last.set(key, event);
    if (before && before.frame > event.frame) {
      this.#findings.violated(`${what} arrived behind frame ${before.frame}`, before, event);
    }
  }

  #ended(event: EventOf<'relay.end'>): void {
    const frame = this.#framesOf(event).get(event.frame);
    if (!frame) return;
    frame.end = event;
    const what = `frame ${event.frame} of ${event.sender}`;
    if (event.outcome === 'taken' && !frame.delivered) {
      this.#findings.violated(`${what} was called taken and did not arrive`, frame.send, event);
    }
    if (event.outcome === 'unsent' && frame.delivered) {
      this.#findings.violated(`${what} was called unsent and did arrive`, frame.delivered, event);
    }
  }

  get violations(): number {
    return this.#findings.violations;
  }

  verdict({ atMs }: { readonly atMs: number }): Verdict {
    for (const frames of this.#open.values()) {
      for (const { send, delivered, end } of frames.values()) {
        if (end || atMs - send.atMs <= this.#settleMs) continue;
        const what = `frame ${send.frame} of ${send.sender}`;
        this.#findings.violated(`nobody told what became of ${what}`, send, delivered);
      }
    }
    const { checked } = this.#findings;
    return this.#findings.verdict(
      `${counted(checked, 'frame')} arrived`,
      checked === 0 ? 'no relay frame arrived' : null,
    );
  }

  #framesOf({ sender }: { readonly sender: string }): Map<number, Frame> {
    return entryOf(this.#open, sender, () => new Map<number, Frame>());
  }
}
