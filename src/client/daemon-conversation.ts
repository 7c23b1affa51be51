import { BackplaneError } from '../foundation/errors.ts';
import { encodeLetter } from '../foundation/relay-letter.ts';
import { relayLimits, relayTimes, type UpHeader } from '../foundation/relay-protocol.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import { RelayPipe } from './relay-pipe.ts';
import type { WorkspaceBrowser } from './serve-workspace.ts';

export interface DaemonConversationParts {
  readonly stream: string;
  readonly conv: string;
  /** The browser's name for its wish to begin; the same wish again is no second conversation. */
  readonly attempt: string;
  readonly clock: Clock;
  window(): number;
  post(letter: Uint8Array): boolean;
  handle(frame: Uint8Array, browser: WorkspaceBrowser): unknown;
  ended(browser: WorkspaceBrowser): void;
}

/** The daemon's end of one conversation, until the browser leaves or is silent for too long. */
export class DaemonConversation {
  readonly conv: string;
  readonly attempt: string;
  readonly browser: WorkspaceBrowser;
  readonly #parts: DaemonConversationParts;
  readonly #pipe: RelayPipe;
  #heardMs: number;
  #quiet: Timer;
  #isOver = false;

  constructor(parts: DaemonConversationParts) {
    const { stream, conv, attempt, clock } = parts;
    this.#parts = parts;
    this.conv = conv;
    this.attempt = attempt;
    const letter = { stream, conv };
    this.#pipe = new RelayPipe({
      clock,
      overflow: 'refuse',
      framesWaitingMax: relayLimits.framesWaitingMax,
      data: (id, payload) => parts.post(encodeLetter({ t: 'data', ...letter, id }, payload)),
      ack: ({ again, ...ack }) => {
        const header = { t: 'ack', ...letter, ...ack } as const;
        parts.post(encodeLetter(again ? { ...header, again } : header));
      },
      probe: () => this.#sayOpened(),
      handle: (frame) => parts.handle(frame, this.browser),
      dropped: () => {},
    });
    this.browser = { id: stream, send: (frame) => this.#pipe.send(frame) };
    this.#heardMs = clock.monotonicMs();
    this.#quiet = this.#watch();
  }

  open(received: number, taken: number): void {
    this.#heardMs = this.#parts.clock.monotonicMs();
    this.#sayOpened();
    this.#pipe.open(received, taken, relayLimits.windowBytesMax);
  }

  receive(header: UpHeader & { t: 'data' | 'ack' }, payload: Uint8Array): void {
    this.#heardMs = this.#parts.clock.monotonicMs();
    if (header.t === 'data') this.#pipe.data(header.id, payload);
    else this.#pipe.acked(header.received, header.taken, header.again === true);
  }

  /** What is sent now would be lost; the browser opens again when there is a way. */
  lineDown(): void {
    this.#pipe.shut();
  }

  sayClosed(): void {
    const { stream, conv } = this.#parts;
    this.#parts.post(encodeLetter({ t: 'closed', stream, conv }));
  }

  end(why: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#quiet.cancel();
    this.#pipe.end(new BackplaneError('RELAY_LOST', why, { certainty: 'definite' }));
    this.#parts.ended(this.browser);
  }

  #sayOpened(): void {
    const { stream, conv, attempt, window } = this.#parts;
    const { progress } = this.#pipe;
    const header = { t: 'opened', stream, conv, attempt, ...progress, window: window() } as const;
    this.#parts.post(encodeLetter(header));
  }

  #watch(): Timer {
    const { clock } = this.#parts;
    return clock.after(relayTimes.quietMs, () => {
      const silentMs = clock.monotonicMs() - this.#heardMs;
      if (silentMs >= relayTimes.silentMs) return this.end('the browser was silent for too long');
      if (silentMs >= relayTimes.quietMs) this.#sayOpened();
      this.#quiet = this.#watch();
    });
  }
}
