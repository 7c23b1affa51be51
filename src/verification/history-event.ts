import type {
  CacheAnswer,
  CacheAsk,
  CacheChange,
  CacheEvicted,
  CacheForgotten,
} from './cache-events.ts';
import type {
  PresenceChange,
  PresenceChanged,
  PresenceClose,
  PresenceOpen,
  PresenceView,
} from './presence-events.ts';
import type { Certain, Recorded } from './recorded.ts';
import type { RelayDeliver, RelayEnd, RelayRoute, RelaySend } from './relay-events.ts';

/**
 * What happened in a run, one event a line (JSONL), on one time line.
 *
 * The first line is `{"v":1,"kind":"history","unit":"ms"}` (or `"us"`, `"ns"`), the last one
 * `{"t":…,"ev":"end","events":N}`, so that a file that was cut off shows. Between them every line
 * has `t`, which never falls, `ev`, and the fields below; other fields are kept and ignored.
 *
 * Whatever is not known is said so: `certainty: "indefinite"` or an outcome `unknown` means that it
 * may have happened, and no law counts it against anybody. What is `final.` is read when the load
 * has ended and everything had the time to settle.
 */
export type HistoryEvent =
  | OpInvoke
  | OpOk
  | OpFail
  | Subscribe
  | Unsubscribe
  | Deliver
  | LeaseGrant
  | LeaseRelease
  | Serve
  | StoreFence
  | StoreAppend
  | StoreUnseen
  | NodeUp
  | NodeDown
  | SessionOpen
  | SessionBeat
  | SessionGone
  | RequestSend
  | RequestRun
  | RequestEnd
  | AwarenessSet
  | AwarenessView
  | RegistrationAdd
  | RegistrationRemove
  | RegistrationView
  | PresenceOpen
  | PresenceClose
  | PresenceChange
  | PresenceChanged
  | PresenceView
  | CacheChange
  | CacheEvicted
  | CacheForgotten
  | CacheAsk
  | CacheAnswer
  | FaultStart
  | FaultEnd
  | RelaySend
  | RelayDeliver
  | RelayEnd
  | RelayRoute
  | FinalOp
  | FinalHead
  | FinalKey
  | FinalKeys
  | Note;

/** An event before it has a place in a file. */
export type Recordable = Unplaced<HistoryEvent>;

type Unplaced<Each> = Each extends HistoryEvent ? Omit<Each, keyof Recorded> : never;

export type EventName = HistoryEvent['ev'];
export type EventOf<Name extends EventName> = Extract<HistoryEvent, { ev: Name }>;

/** A peer submits an op; an attempt under the same opId is the same op. */
export interface OpInvoke extends Recorded {
  readonly ev: 'op.invoke';
  readonly doc: string;
  readonly opId: string;
}

/** The op was acknowledged. */
export interface OpOk extends Recorded {
  readonly ev: 'op.ok';
  readonly doc: string;
  readonly opId: string;
  readonly seq: number;
}

/** The op failed: `definite` says that it is not in the log and never will be. */
export interface OpFail extends Recorded {
  readonly ev: 'op.fail';
  readonly doc: string;
  readonly opId: string;
  readonly code: string;
  readonly certainty: Certain;
}

/** A subscriber begins to follow a document behind a seq; a name is used for one life only. */
export interface Subscribe extends Recorded {
  readonly ev: 'subscribe';
  readonly subscriber: string;
  readonly doc: string;
  readonly after: number;
}

/** It is not expected to hear any more. */
export interface Unsubscribe extends Recorded {
  readonly ev: 'unsubscribe';
  readonly subscriber: string;
  readonly doc: string;
}

export interface Deliver extends Recorded {
  readonly ev: 'deliver';
  readonly subscriber: string;
  readonly doc: string;
  readonly seq: number;
  readonly opId: string;
  readonly epoch?: number | null;
}

/** A session was confirmed as the owner of a document. */
export interface LeaseGrant extends Recorded {
  readonly ev: 'lease.grant';
  readonly doc: string;
  readonly session: string;
  readonly epoch: number;
}

/** An owner gave its document up, to a successor or to whoever wants it next. */
export interface LeaseRelease extends Recorded {
  readonly ev: 'lease.release';
  readonly doc: string;
  readonly session: string;
  readonly epoch: number;
}

/** A session answered for a document as its owner, after that request was sent. */
export interface Serve extends Recorded {
  readonly ev: 'serve';
  readonly doc: string;
  readonly session: string;
  readonly epoch: number;
  readonly request?: string | null;
}

/** The store was asked to raise the epoch; recorded where the store decides, in its order. */
export interface StoreFence extends Recorded {
  readonly ev: 'store.fence';
  readonly doc: string;
  readonly session: string;
  readonly epoch: number;
  readonly outcome: 'ok' | 'conflict' | 'unknown';
}

/** The store was asked to append ops from `seq` on; recorded where the store decides. */
export interface StoreAppend extends Recorded {
  readonly ev: 'store.append';
  readonly doc: string;
  readonly session: string;
  readonly epoch: number;
  readonly seq: number;
  readonly opIds: readonly string[];
  readonly outcome: 'ok' | 'duplicate' | 'fenced' | 'conflict' | 'unknown';
}

/** What the store did for a while was not recorded: fences and appends may be missing before this. */
export interface StoreUnseen extends Recorded {
  readonly ev: 'store.unseen';
}

/** From here on the node is meant to live. */
export interface NodeUp extends Recorded {
  readonly ev: 'node.up';
  readonly nodeId: string;
}

/** The process ended, or was ended. */
export interface NodeDown extends Recorded {
  readonly ev: 'node.down';
  readonly nodeId: string;
}

export interface SessionOpen extends Recorded {
  readonly ev: 'session.open';
  readonly session: string;
  readonly nodeId: string;
}

/** It was renewed; beats count 1, 2, 3 …, some of which may be missing. */
export interface SessionBeat extends Recorded {
  readonly ev: 'session.beat';
  readonly session: string;
  readonly beat: number;
}

/** The session was stopped, fenced, or ran out; whoever ended it had seen that beat of it. */
export interface SessionGone extends Recorded {
  readonly ev: 'session.gone';
  readonly session: string;
  readonly certainty?: Certain | null;
  readonly seenBeat?: number | null;
}

export interface RequestSend extends Recorded {
  readonly ev: 'request.send';
  readonly id: string;
  readonly timeoutMs: number;
}

/** A handler began to run it. */
export interface RequestRun extends Recorded {
  readonly ev: 'request.run';
  readonly id: string;
}

/** The caller was told; `unknown` when the caller itself was lost. */
export interface RequestEnd extends Recorded {
  readonly ev: 'request.end';
  readonly id: string;
  readonly outcome: 'ok' | 'failed' | 'unknown';
  readonly code?: string | null;
}

/** A peer sets its state, null to be gone; `indefinite` when it may not have, or may have expired. */
export interface AwarenessSet extends Recorded {
  readonly ev: 'awareness.set';
  readonly doc: string;
  readonly peer: string;
  readonly clock: number;
  readonly state: unknown;
  readonly certainty?: Certain | null;
}

/** What one viewer sees of a document: `{peer: {clock, state}}`. */
export interface AwarenessView extends Recorded {
  readonly ev: 'awareness.view';
  readonly doc: string;
  readonly viewer: string;
  readonly states: Readonly<Record<string, { readonly clock: number; readonly state: unknown }>>;
}

/** Something (a connection, a lease, a name) stands under a session and must die with it. */
export interface RegistrationAdd extends Recorded {
  readonly ev: 'registration.add';
  readonly id: string;
  readonly session: string;
  /** Under whom it stood until then, where whoever took it did not ask. */
  readonly takenFrom?: string | null;
}

export interface RegistrationRemove extends Recorded {
  readonly ev: 'registration.remove';
  readonly id: string;
}

/** All the registrations that one viewer sees. */
export interface RegistrationView extends Recorded {
  readonly ev: 'registration.view';
  readonly viewer: string;
  readonly ids: readonly string[];
}

/**
 * A fault begins. Recovery counts from its start where another node must take over (a kill), and
 * from its end where nothing can work meanwhile (a broker that is down).
 */
export interface FaultStart extends Recorded {
  readonly ev: 'fault.start';
  readonly id: string;
  readonly fault: string;
  readonly recoveryFrom: 'start' | 'end';
}

export interface FaultEnd extends Recorded {
  readonly ev: 'fault.end';
  readonly id: string;
}

/** One op of the log, in the order of the log. */
export interface FinalOp extends Recorded {
  readonly ev: 'final.op';
  readonly doc: string;
  readonly seq: number;
  readonly epoch: number;
  readonly opId: string;
}

/** The log of a document was read whole: it ends at `seq`, and begins at `from` (1). */
export interface FinalHead extends Recorded {
  readonly ev: 'final.head';
  readonly doc: string;
  readonly seq: number;
  readonly from?: number | null;
}

/** A key in the broker: what it is for, whose it is, and when it goes by itself. */
export interface FinalKey extends Recorded {
  readonly ev: 'final.key';
  readonly key: string;
  readonly role: 'cluster' | 'log' | 'session' | 'lease' | 'other';
  readonly session?: string | null;
  readonly ttlMs: number | null;
}

/** That was all of them. */
export interface FinalKeys extends Recorded {
  readonly ev: 'final.keys';
  readonly count: number;
}

export interface Note extends Recorded {
  readonly ev: 'note';
  readonly text: string;
}
