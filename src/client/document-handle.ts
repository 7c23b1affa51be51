import type { BackplaneError } from '../foundation/errors.ts';
import type { OpAck } from './outgoing-ops.ts';

export interface OpenOptions {
  /** Ops after this seq; 0 for all of them. Without it, those from now on. */
  readonly since?: number | null;
  /** Begin with the document's state of now instead. */
  readonly state?: boolean;
}

export interface DocumentOp {
  readonly doc: string;
  readonly seq: number;
  readonly epoch: number;
  readonly opId: string;
  /** Who sent it. */
  readonly peer: string;
  /** Milliseconds since 1970 by the clock of the node that ordered it: to show, not to order. */
  readonly at: number;
  /** The JSON value, or a `Uint8Array` when it was sent as bytes. */
  readonly payload: unknown;
}

export interface SendOptions {
  /**
   * Told the op's id, `peer:counter`, before it is sent. Told again when an op before it was
   * refused for good: it goes on under the new id then, and never will be in the log under the old.
   */
  readonly named?: (opId: string) => void;
}

export interface RpcOptions {
  /**
   * Gives up after this long, which is an indefinite error once it was sent: the method may run all
   * the same. Without it, a connection is waited for as long as a request may take, and the answer as
   * long as there is one.
   */
  readonly timeoutMs?: number;
}

export interface DocumentSnapshot {
  readonly seq: number;
  readonly state: unknown;
}

export interface AwarenessEvent {
  readonly peer: string;
  /** Null when the peer is gone, or out of sight because the connection is. */
  readonly state: unknown;
}

export interface DocumentEvents {
  /** The node follows the document for us, now or again: ops come from `seq + 1` on. */
  joined: { readonly seq: number };
  op: DocumentOp;
  awareness: AwarenessEvent;
  /** The state asked for with `state: true`; the ops after it follow. */
  state: DocumentSnapshot;
  /** The document cannot be followed or written any more; every later `send` fails like this. */
  lost: BackplaneError;
}

/**
 * One document, as a peer uses it. Survives connections, nodes and owners: ops arrive once and in
 * order of `seq`, and what was sent is sent again until a node has answered it.
 */
export interface DocumentHandle extends AsyncIterable<DocumentOp> {
  readonly doc: string;
  /** The id under which ops and awareness go out now. A refused op makes it change. */
  readonly peer: string;
  /** The last op received; null before the document was joined. */
  readonly seq: number | null;
  readonly snapshot: DocumentSnapshot | null;
  /** The other peers' states. */
  readonly awareness: ReadonlyMap<string, unknown>;
  /** Sent, but not answered yet. */
  readonly unacknowledged: number;
  /**
   * Sends an op: any JSON value, or a `Uint8Array`. Resolves when it is stored for ever; rejects
   * with the refusal when it certainly never will be, or when the handle is closed before.
   */
  send(payload: unknown, options?: SendOptions): Promise<OpAck>;
  /**
   * Calls a method of the document's owner, as soon as there is a connection. Not sent again: a lost
   * answer is an indefinite error.
   */
  rpc(method: string, payload?: unknown, options?: RpcOptions): Promise<unknown>;
  /** The latest state wins and is never stored; null takes it away. */
  setAwareness(state: unknown): void;
  /** Listens; call what it returns to stop. */
  on<Name extends keyof DocumentEvents>(
    name: Name,
    listen: (event: DocumentEvents[Name]) => void,
  ): () => void;
  /** Stops following, takes the awareness away, and gives up what is not acknowledged. */
  close(): void;
}
