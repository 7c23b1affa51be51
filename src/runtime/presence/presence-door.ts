import type { ReplyError } from '../reports.ts';
import type { Connection, ConnectionIdentity } from './connection.ts';
import type { ConnectionSelector } from './connection-selector.ts';

/**
 * Who is connected where, and how to reach them, from any node.
 *
 * Queries are answered from what this node has heard; `fresh` brings that up to what the broker has
 * first. A selector without a hub means every hub; one that began in the last seconds may be missed
 * then, unless it is asked for `fresh` or named.
 */
export interface PresenceDoor {
  /** Registers a connection this node holds. Throws NAME_INVALID, REQUEST_INVALID, OVERLOADED. */
  register(identity: ConnectionIdentity, door: ConnectionDoor): RegisteredConnection;
  find(selector: ConnectionSelector, options?: FindOptions): Promise<Connection[]>;
  users(selector: ConnectionSelector, options?: FindOptions): Promise<UserPresence[]>;
  groups(selector: ConnectionSelector, options?: FindOptions): Promise<GroupPresence[]>;
  isOnline(user: string, options?: FindOptions & { readonly hub?: string }): Promise<boolean>;
  /**
   * Changes the groups of a connection anywhere; changes from several nodes are done one after the
   * other, so none is lost. Answers the connection as it is now. Throws CONNECTION_UNKNOWN.
   */
  join(id: string, ...groups: string[]): Promise<Connection>;
  leave(id: string, ...groups: string[]): Promise<Connection>;
  /** Closes a connection anywhere; its client will not come back by itself. */
  kick(id: string, reason: string): Promise<void>;
  /**
   * Hands a message to every connection that matches, at most once to each. Throws
   * CONNECTION_UNKNOWN, USER_UNKNOWN or GROUP_UNKNOWN when there is none.
   */
  send(target: ConnectionSelector, payload: Uint8Array, options?: SendOptions): Promise<SendReport>;
  /**
   * The first success of all that match; the others are cancelled. When all fail, throws what one of
   * them failed with, and all of it in `facts.answers`.
   */
  invokeOne(
    target: ConnectionSelector,
    method: string,
    payload: Uint8Array,
    options?: SendOptions,
  ): Promise<InvocationAnswer>;
  /** What each that matches answered, or why it did not, by the deadline. */
  invokeAll(
    target: ConnectionSelector,
    method: string,
    payload: Uint8Array,
    options?: SendOptions,
  ): Promise<InvocationAnswer[]>;
}

/** The other end of a connection, as its node reaches it. */
export interface ConnectionDoor {
  /** Throws when it cannot be sent. */
  message(payload: Uint8Array): void;
  invoke(invocation: Invocation): Promise<Uint8Array>;
  /** To be closed, and not to come back. */
  kicked(reason: string): void;
}

export interface Invocation {
  readonly method: string;
  readonly payload: Uint8Array;
  readonly timeoutMs: number;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

export interface RegisteredConnection {
  readonly id: string;
  /** As it is now; its groups may have been changed by anybody. */
  read(): Connection;
  join(...groups: string[]): Promise<Connection>;
  leave(...groups: string[]): Promise<Connection>;
  close(): Promise<void>;
}

export interface FindOptions {
  readonly fresh?: boolean;
}

export interface SendOptions extends FindOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** `vanished`: the connection, or its node, was gone before it answered. */
export type AnswerStatus = 'ok' | 'failed' | 'timed-out' | 'vanished';

export interface InvocationAnswer {
  readonly connection: string;
  readonly nodeId: string;
  readonly status: AnswerStatus;
  readonly payload: Uint8Array | null;
  readonly error: ReplyError | null;
  readonly latencyMs: number;
}

export interface SendReport {
  /** To how many it was handed. */
  readonly delivered: number;
  readonly nodes: readonly string[];
  /** Those it was not handed to, as far as known, and why. */
  readonly undelivered: readonly InvocationAnswer[];
}

export interface UserPresence {
  readonly user: string;
  readonly connections: number;
  readonly hubs: readonly string[];
  readonly nodes: readonly string[];
}

export interface GroupPresence {
  readonly group: string;
  readonly connections: number;
  readonly users: number;
  readonly hubs: readonly string[];
  readonly nodes: readonly string[];
}
