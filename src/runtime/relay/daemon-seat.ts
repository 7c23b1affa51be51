import { decodeDownLetter, type Letter } from '../../foundation/relay-letter.ts';
import { relayLimits, type UpHeader } from '../../foundation/relay-protocol.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Counters } from '../counters.ts';
import type { RelayDoor } from './relay-door.ts';
import { RelayArrivals, RelayFlow } from './relay-flow.ts';

/** A browser's connection, wherever it is. */
export interface BrowserPlace {
  readonly session: string;
  readonly conn: string;
  readonly stream: string;
}

export interface DaemonSeatParts {
  readonly instance: string;
  /** Drawn for this connection: letters to an earlier one never reach it. */
  readonly way: string;
  readonly door: RelayDoor;
  readonly clock: Clock;
  readonly counters: Counters;
  toBrowser(to: BrowserPlace, letter: Uint8Array, offset: number): void;
  askBrowser(to: BrowserPlace, sent: number): void;
  tellBrowser(from: BrowserPlace, done: number): void;
}

interface Route {
  readonly place: BrowserPlace;
  readonly flow: RelayFlow;
  readonly arrivals: RelayArrivals;
}

/** The daemon's connection, and the way back to each browser that has opened a conversation. */
export class DaemonSeat {
  readonly #parts: DaemonSeatParts;
  /** By stream. */
  readonly #routes = new Map<string, Route>();
  #isPaused = false;
  #isGone = false;

  constructor(parts: DaemonSeatParts) {
    this.#parts = parts;
  }

  get instance(): string {
    return this.#parts.instance;
  }

  get way(): string {
    return this.#parts.way;
  }

  get queuedBytes(): number {
    let bytes = 0;
    for (const { flow } of this.#routes.values()) bytes += flow.underWay;
    return bytes;
  }

  /** A letter of a browser; `offset` is null when it comes from this node. */
  deliver(
    from: BrowserPlace,
    { header }: Letter<UpHeader>,
    letter: Uint8Array,
    offset: number | null,
    left: () => void,
  ): void {
    if (this.#isGone) return left();
    const route = this.#routeOf(from, header.t === 'open');
    if (!route) {
      this.#parts.counters.add('relay_letters_astray_total');
      return left();
    }
    const arrivals = offset === null ? null : route.arrivals;
    arrivals?.arrived(offset ?? 0, letter.length);
    this.#parts.door.deliver(letter, () => {
      arrivals?.left(letter.length);
      left();
    });
  }

  take(letter: Uint8Array): boolean {
    const { header } = decodeDownLetter(letter);
    if (this.#isGone) return false;
    const route = this.#routes.get(header.stream);
    if (!route) {
      this.#parts.counters.add('relay_letters_astray_total');
      return false;
    }
    this.#parts.toBrowser(route.place, letter, route.flow.send(letter.length));
    return true;
  }

  done(stream: string, conn: string, total: number): void {
    this.#find(stream, conn)?.flow.done(total);
  }

  leftHere(stream: string, conn: string, bytes: number): void {
    this.#find(stream, conn)?.flow.left(bytes);
  }

  asked(stream: string, conn: string, sent: number): void {
    this.#find(stream, conn)?.arrivals.asked(sent);
  }

  forgetBrowser(stream: string, conn: string): void {
    const route = this.#find(stream, conn);
    if (!route) return;
    endRoute(route);
    this.#routes.delete(stream);
    this.#heed();
  }

  forgetSession(session: string): void {
    for (const { place } of [...this.#routes.values()]) {
      if (place.session === session) this.forgetBrowser(place.stream, place.conn);
    }
  }

  leave(): void {
    this.#isGone = true;
    for (const route of this.#routes.values()) endRoute(route);
    this.#routes.clear();
  }

  #find(stream: string, conn: string): Route | null {
    const route = this.#routes.get(stream);
    return route?.place.conn === conn ? route : null;
  }

  /** Only `open` moves a stream: a late letter of a connection before must not turn it back. */
  #routeOf(from: BrowserPlace, mayMove: boolean): Route | null {
    const known = this.#routes.get(from.stream);
    if (known?.place.conn === from.conn && known.place.session === from.session) return known;
    if (!mayMove) return null;
    if (!known && this.#routes.size >= relayLimits.conversationsMax) return null;
    if (known) endRoute(known);
    const { clock, askBrowser, tellBrowser } = this.#parts;
    const route: Route = {
      place: from,
      flow: new RelayFlow({
        clock,
        ask: (sent) => askBrowser(from, sent),
        changed: () => this.#heed(),
      }),
      arrivals: new RelayArrivals(clock, (done) => tellBrowser(from, done)),
    };
    this.#routes.set(from.stream, route);
    this.#heed();
    return route;
  }

  /** One slow browser stops the daemon: a daemon that keeps to its windows never gets there. */
  #heed(): void {
    const isFull = [...this.#routes.values()].some(({ flow }) => flow.isFull);
    if (isFull === this.#isPaused) return;
    this.#isPaused = isFull;
    if (isFull) {
      this.#parts.counters.add('relay_senders_paused_total');
      this.#parts.door.pause();
    } else this.#parts.door.resume();
  }
}

function endRoute({ flow, arrivals }: Route): void {
  flow.end();
  arrivals.end();
}
