import { isBackplaneError } from '../../foundation/errors.ts';
import { decodeUpLetter } from '../../foundation/relay-letter.ts';
import type { NameHolder } from '../../ports/registry.ts';
import { inboxChannel } from '../channels.ts';
import type { Counters } from '../counters.ts';
import { noPayload, type RelayFrame } from '../frames.ts';
import type { Outbox } from '../outbox.ts';
import type { BrowserSeat } from './browser-seat.ts';
import type { DaemonHolder } from './daemon-holder.ts';
import type { BrowserPlace, DaemonSeat } from './daemon-seat.ts';
import type { RelayWorkspace } from './relay-workspace.ts';

export interface RelayPostParts {
  readonly outbox: Outbox;
  readonly counters: Counters;
  session(): string | null;
  /** Null when nobody of it is connected here. */
  workspace(name: string): RelayWorkspace | null;
  /** A letter or a question came for a daemon's connection that is not on this node. */
  notHere(workspace: string, way: string): void;
}

type Wrapped = Omit<RelayFrame, 'kind' | 'from' | 'payload'>;

/**
 * Carries letters from seat to seat: straight when both are on this node, else in a frame to the
 * inbox of the other node's session. Frames from the bus are judged here: what they name must be
 * connected here, now, under the names they use.
 */
export class RelayPost {
  readonly #parts: RelayPostParts;

  constructor(parts: RelayPostParts) {
    this.#parts = parts;
  }

  toDaemon(
    workspace: RelayWorkspace,
    seat: BrowserSeat,
    to: DaemonHolder,
    letter: Uint8Array,
    offset: number,
  ): void {
    const { daemon } = workspace;
    const session = this.#parts.session();
    if (daemon?.way === to.way && session !== null) {
      this.#parts.counters.add('relay_letters_local_total');
      const from = { session, conn: seat.conn, stream: seat.stream };
      daemon.deliver(from, decodeUpLetter(letter), letter, null, () =>
        seat.leftHere(to.way, letter.length),
      );
      return;
    }
    if (to.session === session) {
      // It was here a moment ago; the guide will say where it is now.
      this.#parts.counters.add('relay_letters_astray_total');
      return seat.leftHere(to.way, letter.length);
    }
    const names = { workspace: workspace.name, way: to.way, conn: seat.conn, stream: seat.stream };
    const wrapped: Wrapped = { what: 'letter', to: 'daemon', ...names, offset };
    this.#parts.counters.add('relay_letters_forwarded_total');
    this.#forward(to.session, wrapped, letter, () => workspace.guide.doubt(to.session));
  }

  askDaemon(workspace: RelayWorkspace, seat: BrowserSeat, to: DaemonHolder, sent: number): void {
    if (workspace.daemon?.way === to.way) return;
    const names = { workspace: workspace.name, way: to.way, conn: seat.conn, stream: seat.stream };
    const wrapped: Wrapped = { what: 'ask', to: 'daemon', ...names, offset: sent };
    this.#forward(to.session, wrapped, noPayload, () => workspace.guide.doubt(to.session));
  }

  /** Asks a node whether it has the daemon whose name it holds. */
  askHolder(workspace: string, { session, token }: NameHolder): void {
    const wrapped: Wrapped = {
      ...nobody,
      what: 'ask',
      to: 'daemon',
      workspace,
      way: token,
      offset: 0,
    };
    void this.#send(session, wrapped);
  }

  tellDaemon(workspace: RelayWorkspace, seat: BrowserSeat, from: DaemonHolder, done: number): void {
    const names = {
      workspace: workspace.name,
      way: from.way,
      conn: seat.conn,
      stream: seat.stream,
    };
    this.#send(from.session, { what: 'done', to: 'daemon', ...names, offset: done });
  }

  toBrowser(
    workspace: RelayWorkspace,
    seat: DaemonSeat,
    to: BrowserPlace,
    letter: Uint8Array,
    offset: number,
  ): void {
    if (to.session === this.#parts.session()) {
      const left = () => seat.leftHere(to.stream, to.conn, letter.length);
      const browser = workspace.browsers.get(to.conn);
      if (browser) {
        this.#parts.counters.add('relay_letters_local_total');
        return browser.deliver(letter, null, left);
      }
      this.#parts.counters.add('relay_letters_astray_total');
      left();
      return seat.forgetBrowser(to.stream, to.conn);
    }
    const names = { workspace: workspace.name, way: seat.way, conn: to.conn, stream: to.stream };
    const wrapped: Wrapped = { what: 'letter', to: 'browser', ...names, offset };
    this.#parts.counters.add('relay_letters_forwarded_total');
    this.#forward(to.session, wrapped, letter, () => seat.forgetBrowser(to.stream, to.conn));
  }

  askBrowser(workspace: RelayWorkspace, seat: DaemonSeat, to: BrowserPlace, sent: number): void {
    if (to.session === this.#parts.session()) return;
    const names = { workspace: workspace.name, way: seat.way, conn: to.conn, stream: to.stream };
    const wrapped: Wrapped = { what: 'ask', to: 'browser', ...names, offset: sent };
    this.#forward(to.session, wrapped, noPayload, () => seat.forgetBrowser(to.stream, to.conn));
  }

  tellBrowser(workspace: RelayWorkspace, seat: DaemonSeat, from: BrowserPlace, done: number): void {
    const names = {
      workspace: workspace.name,
      way: seat.way,
      conn: from.conn,
      stream: from.stream,
    };
    this.#send(from.session, { what: 'done', to: 'browser', ...names, offset: done });
  }

  /** So the daemon's node spares itself letters to nobody. */
  browserLeft(workspace: RelayWorkspace, seat: BrowserSeat): void {
    const { holder } = workspace.guide;
    if (!holder) return;
    if (workspace.daemon) return workspace.daemon.forgetBrowser(seat.stream, seat.conn);
    const names = { workspace: workspace.name, way: holder.way, conn: seat.conn };
    const wrapped = { what: 'gone', to: 'daemon', ...names, stream: seat.stream } as const;
    this.#send(holder.session, { ...wrapped, offset: 0 });
  }

  ping(session: string, id: string): Promise<number> {
    return this.#send(session, { what: 'ping', to: 'daemon', ...nobody, conn: id, offset: 0 });
  }

  pong(session: string, id: string): void {
    void this.#send(session, { what: 'pong', to: 'daemon', ...nobody, conn: id, offset: 0 });
  }

  receive(frame: RelayFrame): void {
    const workspace = this.#parts.workspace(frame.workspace);
    if (frame.to === 'daemon') this.#atDaemon(frame, workspace);
    else this.#atBrowser(frame, workspace);
  }

  #atDaemon(frame: RelayFrame, workspace: RelayWorkspace | null): void {
    const { what, way, conn, stream, offset, from } = frame;
    const daemon = workspace?.daemon;
    if (daemon?.way !== way) return this.#notHere(frame);
    if (what === 'done') return daemon.done(stream, conn, offset);
    if (what === 'ask') return daemon.asked(stream, conn, offset);
    if (what === 'gone') return daemon.forgetBrowser(stream, conn);
    // The bus lends the bytes for the call only, and the socket sends them later.
    const letter = Uint8Array.prototype.slice.call(frame.payload);
    this.#orMalformed(() => {
      const read = decodeUpLetter(letter);
      if (read.header.stream !== stream) return this.#malformed();
      daemon.deliver({ session: from, conn, stream }, read, letter, offset, () => {});
    });
  }

  #atBrowser(frame: RelayFrame, workspace: RelayWorkspace | null): void {
    const { what, way, conn, stream, offset } = frame;
    // The other node does not have the daemon any more: it is somewhere else, or nowhere.
    if (what === 'gone') return void workspace?.guide.refresh();
    const browser = workspace?.browsers.get(conn);
    if (browser?.stream !== stream) return this.#notHere(frame);
    if (what === 'done') return browser.done(way, offset);
    if (what === 'ask') return browser.asked(way, offset);
    browser.deliver(Uint8Array.prototype.slice.call(frame.payload), offset, () => {});
  }

  /** Answers a letter that found nobody, so that its node looks again; never a report. */
  #notHere(frame: RelayFrame): void {
    if (frame.what !== 'letter' && frame.what !== 'ask') return;
    this.#parts.counters.add('relay_letters_astray_total');
    const { workspace, way, conn, stream, from } = frame;
    if (frame.to === 'daemon') this.#parts.notHere(workspace, way);
    const to = frame.to === 'daemon' ? 'browser' : 'daemon';
    this.#send(from, { what: 'gone', to, workspace, way, conn, stream, offset: 0 });
  }

  #forward(session: string, wrapped: Wrapped, payload: Uint8Array, nobodyThere: () => void): void {
    void this.#send(session, wrapped, payload).then((receivers) => {
      if (receivers > 0) return;
      this.#parts.counters.add('relay_letters_astray_total');
      nobodyThere();
    });
  }

  /** Answers the number of receivers; of a send that failed nobody knows, so it counts as one. */
  #send(session: string, wrapped: Wrapped, payload: Uint8Array = noPayload): Promise<number> {
    const from = this.#parts.session();
    if (from === null) return Promise.resolve(1);
    const frame: RelayFrame = { kind: 'relay', from, ...wrapped, payload };
    return this.#parts.outbox.send(inboxChannel(session), frame).catch(() => 1);
  }

  #orMalformed(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!isBackplaneError(error, 'REQUEST_INVALID')) throw error;
      this.#malformed();
    }
  }

  #malformed(): void {
    this.#parts.counters.add('frames_malformed_total');
  }
}

const nobody = { workspace: '', way: '', conn: '', stream: '' };
