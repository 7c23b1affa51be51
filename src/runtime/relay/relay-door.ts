import type { NodeMessage } from '../../foundation/relay-protocol.ts';

/** A relay connection as the runtime sees it: whoever made it passes on what is said here. */
export interface RelayDoor {
  /** `left` is called once the letter is out of this node's memory, whatever became of it. */
  deliver(letter: Uint8Array, left: () => void): void;
  say(message: NodeMessage): void;
  end(code: number, reason: string): void;
  /** Whoever writes to a slow reader is not read until the reader has caught up. */
  pause(): void;
  resume(): void;
}

export interface BrowserArrival {
  readonly workspace: string;
  readonly stream: string;
  /** Whether it may be sent to the node of the daemon. */
  readonly mayRedirect: boolean;
}

export interface DaemonArrival {
  readonly workspace: string;
  readonly instance: string;
  /** Replaces another daemon instead of being refused. */
  readonly take: boolean;
}

/** What a connection can do until it leaves; nothing happens after that. */
export interface RelaySeat {
  /** One letter from the connection, as it came; whether it was passed on. Throws REQUEST_INVALID. */
  take(letter: Uint8Array): boolean;
  dropped(frames: number): void;
  leave(): void;
}
