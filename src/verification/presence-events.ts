import type { Certain, Recorded } from './recorded.ts';

/** A connection was opened on a node, and lasts until it is closed or that node goes down. */
export interface PresenceOpen extends Recorded {
  readonly ev: 'presence.open';
  readonly connection: string;
  readonly nodeId: string;
}

/** Indefinite: its client lost it, and its node may not have noticed. */
export interface PresenceClose extends Recorded {
  readonly ev: 'presence.close';
  readonly connection: string;
  readonly certainty?: Certain | null;
}

/** Somebody asks some node to have a connection join or leave a group. */
export interface PresenceChange extends Recorded {
  readonly ev: 'presence.change';
  readonly id: string;
  readonly connection: string;
  readonly group: string;
  readonly change: 'join' | 'leave';
}

/** It was told: done; not done and never will be; or nobody knows. */
export interface PresenceChanged extends Recorded {
  readonly ev: 'presence.changed';
  readonly id: string;
  readonly outcome: 'ok' | 'failed' | 'unknown';
}

/** The connections that one node sees, with the groups of each. */
export interface PresenceView extends Recorded {
  readonly ev: 'presence.view';
  readonly viewer: string;
  readonly connections: Readonly<Record<string, readonly string[]>>;
}
