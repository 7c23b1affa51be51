import { BackplaneError } from '../foundation/errors.ts';
import { decodeUpLetter, encodeLetter } from '../foundation/relay-letter.ts';
import { relayLimits, type UpHeader } from '../foundation/relay-protocol.ts';
import { DaemonConversation } from './daemon-conversation.ts';
import { Listeners } from './listeners.ts';
import { readLetter } from './read-letter.ts';
import { type LineSettings, type LineState, RelayLine } from './relay-line.ts';
import { lineSettings, type RelayOptions } from './relay-options.ts';

export interface ServeOptions extends RelayOptions {
  /** Called with one frame of a browser at a time: its next comes when it has resolved. */
  readonly onFrame: (frame: Uint8Array, browser: WorkspaceBrowser) => unknown;
  readonly onBrowser?: (browser: WorkspaceBrowser) => void;
  /** It left, or was silent for too long. */
  readonly onLeft?: (browser: WorkspaceBrowser) => void;
  /** Replaces another daemon instead of failing with RELAY_DAEMON_TAKEN. */
  readonly take?: boolean;
}

/** A browser as its daemon sees it: the same one over all its connections. */
export interface WorkspaceBrowser {
  readonly id: string;
  /** Resolves when the browser has handled the frame; RELAY_LOST says that it may have. */
  send(frame: Uint8Array): Promise<void>;
}

export interface DaemonEvents {
  state: LineState;
}

/** Serves a workspace in the background until it is closed, or another daemon has it. */
export function serveWorkspace(options: ServeOptions): DaemonHandle {
  return new DaemonHandle(options);
}

/** The daemon's side of a workspace: a conversation with each browser, over any nodes. */
export class DaemonHandle {
  readonly workspace: string;
  readonly instance: string;
  readonly #options: ServeOptions;
  readonly #settings: LineSettings;
  readonly #line: RelayLine;
  readonly #listeners = new Listeners<DaemonEvents>();
  /** By stream. */
  readonly #conversations = new Map<string, DaemonConversation>();
  #hasServed = false;
  #error: BackplaneError | null = null;

  constructor(options: ServeOptions) {
    this.#options = options;
    this.workspace = options.workspace;
    this.instance = lineSettings(options, () => ({})).random.token(12);
    const query = { role: 'daemon', instance: this.instance };
    // Once: or two that both were told to take would take from each other for ever.
    this.#settings = lineSettings(options, () =>
      options.take && !this.#hasServed ? { ...query, take: '1' } : query,
    );
    this.#line = new RelayLine(this.#settings, {
      state: (state) => this.#lineIs(state),
      message: () => {},
      letter: (bytes) => this.#letter(bytes),
      failed: (error) => this.#finish(error),
    });
  }

  get state(): LineState {
    return this.#line.state;
  }

  /** Why it ended for good: RELAY_DAEMON_TAKEN when another daemon has the workspace. */
  get error(): BackplaneError | null {
    return this.#error;
  }

  get nodeId(): string | null {
    return this.#line.nodeId;
  }

  get browsers(): readonly WorkspaceBrowser[] {
    return [...this.#conversations.values()].map(({ browser }) => browser);
  }

  on<Name extends keyof DaemonEvents>(
    name: Name,
    listen: (event: DaemonEvents[Name]) => void,
  ): () => void {
    return this.#listeners.on(name, listen);
  }

  /** Resolves once it is the workspace's daemon; rejects when that will never be. */
  serving(): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        if (this.#line.state === 'connected') resolve();
        else if (this.#error) reject(this.#error);
        else return;
        unlisten();
      };
      const unlisten = this.on('state', settle);
      settle();
    });
  }

  /** Ends every conversation and the connection. Twice is once. */
  async close(): Promise<void> {
    if (this.#error) return;
    for (const conversation of this.#conversations.values()) conversation.sayClosed();
    this.#line.close();
    this.#finish(new BackplaneError('CLOSED', 'the daemon was closed', { remedy: 'serve again' }));
  }

  #lineIs(state: LineState): void {
    if (state === 'connected') this.#hasServed = true;
    if (state === 'waiting') for (const one of this.#conversations.values()) one.lineDown();
    this.#listeners.emit('state', state);
  }

  #letter(bytes: Uint8Array): void {
    const letter = readLetter(() => decodeUpLetter(bytes));
    if (!letter) return;
    const { header, payload } = letter;
    const known = this.#conversations.get(header.stream);
    if (header.t === 'open') return this.#opened(header, known);
    if (known?.conv !== header.conv) {
      if (header.t !== 'bye') this.#refuse(header.stream, header.conv);
      return;
    }
    if (header.t === 'bye') known.end('the browser has left');
    else known.receive(header, payload);
  }

  #opened(header: UpHeader & { t: 'open' }, known: DaemonConversation | undefined): void {
    const { stream, attempt, conv, received, taken } = header;
    if (known && (conv === known.conv || (conv === null && attempt === known.attempt))) {
      return known.open(received, taken);
    }
    if (conv !== null) return this.#refuse(stream, conv);
    known?.end('the browser has begun anew');
    if (this.#conversations.size >= relayLimits.conversationsMax) return this.#refuse(stream, null);
    const { onFrame, onLeft } = this.#options;
    const conversation: DaemonConversation = new DaemonConversation({
      ...this.#settings,
      stream,
      attempt,
      conv: this.#settings.random.token(12),
      window: () => this.#window(),
      post: (letter) => this.#line.send(letter),
      handle: (frame, browser) => onFrame(frame, browser),
      ended: (browser) => {
        if (this.#conversations.get(stream) === conversation) this.#conversations.delete(stream);
        onLeft?.(browser);
      },
    });
    this.#conversations.set(stream, conversation);
    this.#options.onBrowser?.(conversation.browser);
    conversation.open(received, taken);
  }

  /** Many browsers share what one daemon can hold. */
  #window(): number {
    const share = relayLimits.daemonBytesMax / 4 / Math.max(1, this.#conversations.size);
    const { windowBytesMin, windowBytesMax } = relayLimits;
    return Math.floor(Math.max(windowBytesMin, Math.min(windowBytesMax, share)));
  }

  #refuse(stream: string, conv: string | null): void {
    this.#line.send(encodeLetter({ t: 'closed', stream, conv }));
  }

  #finish(error: BackplaneError): void {
    if (this.#error) return;
    this.#error = error;
    for (const one of [...this.#conversations.values()]) one.end(error.message);
    this.#listeners.emit('state', this.#line.state);
  }
}
