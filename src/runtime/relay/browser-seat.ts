import { BackplaneError } from '../../foundation/errors.ts';
import { decodeUpLetter } from '../../foundation/relay-letter.ts';
import { relayCloseCodes } from '../../foundation/relay-protocol.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Counters } from '../counters.ts';
import type { DaemonHolder } from './daemon-holder.ts';
import type { RelayDoor } from './relay-door.ts';
import { RelayArrivals, RelayFlow } from './relay-flow.ts';

export interface BrowserSeatParts {
  readonly conn: string;
  readonly stream: string;
  readonly mayRedirect: boolean;
  readonly door: RelayDoor;
  readonly clock: Clock;
  readonly counters: Counters;
  /** Where to send it instead of forwarding; null to forward. */
  redirectTarget(holder: DaemonHolder): string | null;
  toDaemon(to: DaemonHolder, letter: Uint8Array, offset: number): void;
  askDaemon(to: DaemonHolder, sent: number): void;
  tellDaemon(from: DaemonHolder, done: number): void;
}

/**
 * A browser's connection. Its letters go to the daemon's connection of this moment, or nowhere: it
 * keeps what is not acknowledged. It is either sent elsewhere or forwarded, never both.
 */
export class BrowserSeat {
  readonly #parts: BrowserSeatParts;
  #holder: DaemonHolder | null = null;
  #flow: RelayFlow | null = null;
  #arrivals: RelayArrivals | null = null;
  #isPaused = false;
  #hasForwarded = false;
  #isRedirected = false;
  #isGone = false;

  constructor(parts: BrowserSeatParts) {
    this.#parts = parts;
  }

  get stream(): string {
    return this.#parts.stream;
  }

  get conn(): string {
    return this.#parts.conn;
  }

  /** Bytes it sent that have not left for the daemon: each is counted at its sender's node. */
  get queuedBytes(): number {
    return this.#flow?.underWay ?? 0;
  }

  /** Where the daemon is now. */
  follow(holder: DaemonHolder | null): void {
    if (this.#isGone || this.#isRedirected) return;
    const { door, mayRedirect, redirectTarget } = this.#parts;
    const isSameWay = holder !== null && holder.way === this.#holder?.way;
    this.#holder = holder;
    if (isSameWay) return;
    this.#restartFlow(holder);
    if (!holder) return door.say({ type: 'unavailable', code: 'DAEMON_UNAVAILABLE' });
    // Once a letter went one way, the others follow: no frame is ever sent on both.
    const url = mayRedirect && !this.#hasForwarded ? redirectTarget(holder) : null;
    if (url !== null) return this.#redirect(url);
    door.say({ type: 'available', instance: holder.instance, way: holder.way });
  }

  take(letter: Uint8Array): boolean {
    const { header } = decodeUpLetter(letter);
    if (header.stream !== this.#parts.stream) {
      throw new BackplaneError('REQUEST_INVALID', 'a browser writes with its own stream only');
    }
    if (this.#isGone || this.#isRedirected) return false;
    const holder = this.#holder;
    if (!holder || !this.#flow) {
      this.#parts.counters.add('relay_letters_astray_total');
      return false;
    }
    this.#hasForwarded = true;
    this.#parts.toDaemon(holder, letter, this.#flow.send(letter.length));
    return true;
  }

  /** A letter of the daemon; `offset` is null when it comes from this node. */
  deliver(letter: Uint8Array, offset: number | null, left: () => void): void {
    if (this.#isGone || this.#isRedirected) return left();
    const arrivals = offset === null ? null : this.#arrivals;
    arrivals?.arrived(offset ?? 0, letter.length);
    this.#parts.door.deliver(letter, () => {
      arrivals?.left(letter.length);
      left();
    });
  }

  /** How far our letters have got on the way to this connection of the daemon. */
  done(way: string, total: number): void {
    if (this.#holder?.way === way) this.#flow?.done(total);
  }

  leftHere(way: string, bytes: number): void {
    if (this.#holder?.way === way) this.#flow?.left(bytes);
  }

  asked(way: string, sent: number): void {
    if (this.#holder?.way === way) this.#arrivals?.asked(sent);
  }

  leave(): void {
    this.#isGone = true;
    this.#endFlow();
  }

  #redirect(url: string): void {
    const { door, counters } = this.#parts;
    this.#isRedirected = true;
    this.#endFlow();
    counters.add('relay_redirects_total');
    door.say({ type: 'redirect', url });
    door.end(relayCloseCodes.redirected, 'the daemon is on another node');
  }

  #endFlow(): void {
    this.#flow?.end();
    this.#arrivals?.end();
  }

  #restartFlow(holder: DaemonHolder | null): void {
    this.#endFlow();
    const { clock, askDaemon, tellDaemon } = this.#parts;
    if (!holder) {
      this.#flow = null;
      this.#arrivals = null;
    } else {
      this.#flow = new RelayFlow({
        clock,
        ask: (sent) => this.#holder && askDaemon(this.#holder, sent),
        changed: () => this.#heed(),
      });
      // The session of the holder may change under the same way.
      this.#arrivals = new RelayArrivals(
        clock,
        (done) => this.#holder && tellDaemon(this.#holder, done),
      );
    }
    this.#heed();
  }

  #heed(): void {
    const isFull = this.#flow?.isFull ?? false;
    if (isFull === this.#isPaused) return;
    this.#isPaused = isFull;
    if (isFull) {
      this.#parts.counters.add('relay_senders_paused_total');
      this.#parts.door.pause();
    } else this.#parts.door.resume();
  }
}
