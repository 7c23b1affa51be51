import { type BackplaneClient, connect } from '../../../client/index.ts';
import type { PeerIdentity } from '../../../foundation/peer-protocol.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { HistoryRecorder } from '../history-recorder.ts';

export interface LoadConnectionParts {
  readonly identity: PeerIdentity;
  readonly urls: readonly string[];
  readonly token: string | null;
  readonly recorder: Pick<HistoryRecorder, 'record'>;
  readonly clock: Clock;
  /** Names the change by which it is in the groups it came with. */
  changeId(): string;
}

const reconnectMsMax = 1_000;

/**
 * A client whose connections are recorded: another one each time it finds its way to a node. An
 * end it did not ask for is not certain: its node may not have noticed yet.
 */
export class LoadConnection {
  readonly #parts: LoadConnectionParts;
  readonly #client: BackplaneClient;
  #id: string | null = null;
  /** Joined since, the oldest first. */
  #groups: string[] = [];

  constructor(parts: LoadConnectionParts) {
    const { identity, urls, token, clock } = parts;
    this.#parts = parts;
    this.#client = connect({ identity, urls, token, clock, reconnectMsMax });
    this.#client.on('state', (state) => {
      if (state === 'connected') this.#opened();
      else this.#ended(state === 'closed');
    });
  }

  /** Null while it is none. */
  get id(): string | null {
    return this.#id;
  }

  /** Groups it was told to join, and not yet to leave: of this connection. */
  get groups(): string[] {
    return this.#groups;
  }

  /** Twice is once. */
  close(): Promise<void> {
    return this.#client.close();
  }

  #opened(): void {
    const { connection, nodeId } = this.#client;
    if (connection === null || nodeId === null) return;
    this.#ended(false);
    this.#id = connection;
    this.#groups = [];
    const { recorder, identity } = this.#parts;
    recorder.record({ ev: 'presence.open', connection, nodeId });
    // Whoever was welcomed is in the groups it came with.
    for (const group of identity.groups ?? []) {
      const id = this.#parts.changeId();
      recorder.record({ ev: 'presence.change', id, connection, group, change: 'join' });
      recorder.record({ ev: 'presence.changed', id, outcome: 'ok' });
    }
  }

  #ended(isCertain: boolean): void {
    const connection = this.#id;
    if (connection === null) return;
    this.#id = null;
    const certainty = isCertain ? 'definite' : 'indefinite';
    this.#parts.recorder.record({ ev: 'presence.close', connection, certainty });
  }
}
