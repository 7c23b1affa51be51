import { BackplaneError } from '../foundation/errors.ts';
import { decodeDownLetter, encodeLetter } from '../foundation/relay-letter.ts';
import {
  type DownHeader,
  type NodeMessage,
  relayLimits,
  relayTimes,
} from '../foundation/relay-protocol.ts';
import type { Timer } from '../ports/clock.ts';
import { Listeners } from './listeners.ts';
import { readLetter } from './read-letter.ts';
import { type LineState, RelayLine } from './relay-line.ts';
import { lineSettings, type RelayOptions } from './relay-options.ts';
import { RelayPipe } from './relay-pipe.ts';

export interface JoinOptions extends RelayOptions {
  /** Called with one frame of the daemon at a time: the next comes when it has resolved. */
  readonly onFrame?: (frame: Uint8Array) => unknown;
  /** When too much waits to be sent: refuse the new frame, or drop the oldest. */
  readonly overflow?: 'refuse' | 'drop-oldest';
  /** How many frames may wait to be sent. */
  readonly queueFramesMax?: number;
  /** `never`: be forwarded even where nodes redirect. */
  readonly redirect?: 'follow' | 'never';
}

export interface WorkspaceEvents {
  state: LineState;
  /** The daemon is there, or came back. */
  available: { readonly instance: string };
  /** `DAEMON_UNAVAILABLE`: there is none now. */
  unavailable: BackplaneError;
}

/** Joins a workspace in the background, and stays until it is closed. Throws URL_INVALID. */
export function joinWorkspace(options: JoinOptions): WorkspaceHandle {
  return new WorkspaceHandle(options);
}

/** A browser's side of a workspace: frames to its daemon and back, over any nodes. */
export class WorkspaceHandle {
  readonly workspace: string;
  readonly #line: RelayLine;
  readonly #pipe: RelayPipe;
  readonly #listeners = new Listeners<WorkspaceEvents>();
  readonly #stream: string;
  readonly #options: ReturnType<typeof lineSettings>;
  #instance: string | null = null;
  /** The instance the conversation is with, though it may be away. */
  #partner: string | null = null;
  #conv: string | null = null;
  #attempt = '';
  #way: string | null = null;
  /** No answer yet to the last `open`. */
  #isOpening = false;
  #opening: Timer | null = null;
  #openMs: number = relayTimes.retryMs;
  #away: Timer | null = null;
  #isToldAbsent = false;
  #dropped = 0;
  #error: BackplaneError | null = null;

  constructor(options: JoinOptions) {
    const { redirect = 'follow', overflow = 'refuse', onFrame } = options;
    this.workspace = options.workspace;
    const random = lineSettings(options, () => ({})).random;
    this.#stream = random.token(12);
    const query: Record<string, string> = { role: 'browser', stream: this.#stream };
    if (redirect === 'never') query.redirect = 'never';
    if (overflow === 'drop-oldest') query.overflow = 'drop-oldest';
    this.#options = lineSettings(options, () => query);
    this.#pipe = new RelayPipe({
      clock: this.#options.clock,
      overflow,
      framesWaitingMax: options.queueFramesMax ?? relayLimits.framesWaitingMax,
      data: (id, payload) => this.#post({ t: 'data', id }, payload),
      ack: ({ again, ...ack }) =>
        void this.#post(again ? { t: 'ack', ...ack, again } : { t: 'ack', ...ack }),
      probe: () => this.#open(),
      handle: (frame) => onFrame?.(frame),
      dropped: () => this.#noteDropped(),
    });
    this.#line = new RelayLine(this.#options, {
      state: (state) => this.#lineIs(state),
      message: (message) => this.#told(message),
      letter: (bytes) => this.#letter(bytes),
      failed: (error) => this.#finish(error),
    });
  }

  get state(): LineState {
    return this.#line.state;
  }

  /** Whether the daemon is there, as far as this client was told. */
  get isAvailable(): boolean {
    return this.#line.state === 'connected' && this.#instance !== null;
  }

  get nodeId(): string | null {
    return this.#line.nodeId;
  }

  /** Whether it was sent to the node of the daemon. */
  get isRedirected(): boolean {
    return this.#line.isRedirected;
  }

  /** Frames the daemon has not handled yet. */
  get pending(): number {
    return this.#pipe.pending;
  }

  /** Why it ended for good. */
  get error(): BackplaneError | null {
    return this.#error;
  }

  on<Name extends keyof WorkspaceEvents>(
    name: Name,
    listen: (event: WorkspaceEvents[Name]) => void,
  ): () => void {
    return this.#listeners.on(name, listen);
  }

  /**
   * Sends a frame to the daemon; resolves when the daemon has handled it. Without a daemon it fails at
   * once with DAEMON_UNAVAILABLE; RELAY_LOST says that the daemon went away for good and the frame
   * may have arrived.
   */
  send(frame: Uint8Array): Promise<void> {
    if (this.#error) return Promise.reject(this.#error);
    if (this.#isToldAbsent) return Promise.reject(unavailable(this.workspace));
    return this.#pipe.send(frame);
  }

  /** Resolves when the daemon is there; rejects when that will never be. */
  available(): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        if (this.isAvailable) resolve();
        else if (this.#error) reject(this.#error);
        else return;
        for (const unlisten of unlistens) unlisten();
      };
      const unlistens = [this.on('available', settle), this.on('state', settle)];
      settle();
    });
  }

  /** Ends the conversation and the connection. Twice is once. */
  async close(): Promise<void> {
    if (this.#error) return;
    this.#post({ t: 'bye' });
    this.#line.close();
    this.#finish(new BackplaneError('CLOSED', 'the workspace was left', { remedy: 'join again' }));
  }

  #lineIs(state: LineState): void {
    if (state === 'waiting' || state === 'connecting') {
      this.#way = null;
      this.#instance = null;
      this.#stopOpening();
      this.#pipe.shut();
      // Nobody says meanwhile whether there is a daemon: what is sent now waits for the next node.
      this.#isToldAbsent = false;
      if (this.#partner !== null) this.#waitForDaemon();
    }
    this.#listeners.emit('state', state);
  }

  #told(message: NodeMessage): void {
    if (message.type === 'available') this.#daemonIs(message.instance, message.way);
    else if (message.type === 'unavailable') this.#daemonIsGone();
  }

  #daemonIs(instance: string, way: string): void {
    if (this.#way === way) return;
    if (this.#partner !== instance) {
      // Another daemon: what its predecessor was sent is not for it.
      if (this.#partner !== null) this.#pipe.restart('another daemon has taken the workspace');
      this.#newConversation();
      this.#partner = instance;
    }
    this.#instance = instance;
    this.#way = way;
    this.#isToldAbsent = false;
    this.#away?.cancel();
    this.#away = null;
    this.#pipe.shut();
    this.#openMs = relayTimes.retryMs;
    this.#open();
    this.#listeners.emit('available', { instance });
  }

  #daemonIsGone(): void {
    this.#instance = null;
    this.#way = null;
    this.#stopOpening();
    this.#pipe.shut();
    this.#isToldAbsent = true;
    this.#waitForDaemon();
    this.#listeners.emit('unavailable', unavailable(this.workspace));
  }

  /** The daemon may come back, and go on where it was; not for ever. */
  #waitForDaemon(): void {
    this.#away ??= this.#options.clock.after(relayTimes.awayMs, () => {
      this.#away = null;
      this.#partner = null;
      this.#newConversation();
      this.#pipe.restart('the daemon did not come back');
      this.#pipe.refuseWaiting(unavailable(this.workspace));
    });
  }

  #newConversation(): void {
    this.#conv = null;
    this.#attempt = this.#options.random.token(8);
  }

  #open(): void {
    if (this.#instance === null) return;
    this.#isOpening = true;
    const header = { t: 'open', attempt: this.#attempt, conv: this.#conv } as const;
    const { progress } = this.#pipe;
    this.#line.send(encodeLetter({ ...header, ...progress, stream: this.#stream }));
    this.#opening?.cancel();
    this.#opening = this.#options.clock.after(this.#openMs, () => this.#open());
    this.#openMs = Math.min(2 * this.#openMs, relayTimes.retryMsMax);
  }

  #stopOpening(): void {
    this.#isOpening = false;
    this.#opening?.cancel();
    this.#opening = null;
  }

  #letter(bytes: Uint8Array): void {
    if (this.#instance === null) return;
    const letter = readLetter(() => decodeDownLetter(bytes));
    if (!letter) return;
    const { header, payload } = letter;
    switch (header.t) {
      case 'opened':
        return this.#opened(header);
      case 'closed':
        return this.#closed(header.conv);
      case 'data':
        if (header.conv === this.#conv) this.#pipe.data(header.id, payload);
        return;
      case 'ack':
        if (header.conv !== this.#conv) return;
        return this.#pipe.acked(header.received, header.taken, header.again === true);
    }
  }

  #opened(header: DownHeader & { t: 'opened' }): void {
    if (this.#conv === null && header.attempt === this.#attempt) this.#conv = header.conv;
    if (header.conv !== this.#conv) return;
    const wasAsked = this.#isOpening;
    this.#stopOpening();
    this.#openMs = relayTimes.retryMs;
    this.#pipe.open(header.received, header.taken, header.window);
    // It wants a sign of life, or misses our acknowledgements.
    if (!wasAsked) this.#pipe.answer();
    this.#reportDropped();
  }

  /** The daemon does not know this conversation: it had forgotten us, or never heard of it. */
  #closed(conv: string | null): void {
    if (conv !== this.#conv) return;
    this.#pipe.restart('the daemon has forgotten this conversation');
    this.#newConversation();
    this.#stopOpening();
    this.#opening = this.#options.clock.after(this.#openMs, () => this.#open());
  }

  #post(
    header:
      | { t: 'data'; id: number }
      | { t: 'ack'; received: number; taken: number; again?: true }
      | { t: 'bye' },
    payload?: Uint8Array,
  ): boolean {
    const conv = this.#conv;
    if (conv === null || this.#instance === null) return false;
    return this.#line.send(encodeLetter({ ...header, stream: this.#stream, conv }, payload));
  }

  #noteDropped(): void {
    this.#dropped += 1;
    if (this.#dropped % 64 === 1) queueMicrotask(() => this.#reportDropped());
  }

  #reportDropped(): void {
    if (this.#dropped === 0) return;
    if (this.#line.send({ type: 'dropped', frames: this.#dropped })) this.#dropped = 0;
  }

  #finish(error: BackplaneError): void {
    if (this.#error) return;
    this.#error = error;
    this.#stopOpening();
    this.#away?.cancel();
    this.#pipe.end(error);
    this.#listeners.emit('state', this.#line.state);
  }
}

function unavailable(workspace: string): BackplaneError {
  return new BackplaneError('DAEMON_UNAVAILABLE', `the workspace "${workspace}" has no daemon now`);
}
