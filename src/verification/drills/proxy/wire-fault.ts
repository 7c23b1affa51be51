/** What a connection turned out to be by what it sends; `new` while it only shook hands. */
export type ConnectionRole = 'new' | 'command' | 'subscriber';

/** The connections of a node that a fault is about. */
export type ConnectionChoice = 'all' | 'command' | 'subscriber';

export type Direction = 'to-broker' | 'to-node';

/** Something that a proxy can do to what passes it. Several can be in effect at once. */
export type WireFault =
  | CutFault
  | HalfOpenFault
  | WedgeFault
  | ResetFault
  | LatencyFault
  | BandwidthFault
  | OneWayFault
  | DropChannelFault
  | SlowCommandFault
  | RefuseCommandFault;

/** Every connection is closed, and whoever connects is sent away. */
export interface CutFault {
  readonly kind: 'cut';
  readonly connections: ConnectionChoice;
}

/** Connections stay open and can be made, but what is sent is lost, also that one side closed. */
export interface HalfOpenFault {
  readonly kind: 'half-open';
  readonly connections: ConnectionChoice;
}

/** The connections that are open when it begins are half-open; whoever connects anew can talk. */
export interface WedgeFault {
  readonly kind: 'wedge';
  readonly connections: ConnectionChoice;
}

/** Connections are broken off (RST) once, or again and again; new ones work until the next time. */
export interface ResetFault {
  readonly kind: 'reset';
  readonly connections: ConnectionChoice;
  readonly everyMs: number | null;
}

/** What is sent arrives later, in order: each way by `latencyMs` and up to `jitterMs` more. */
export interface LatencyFault {
  readonly kind: 'latency';
  readonly connections: ConnectionChoice;
  readonly direction: Direction | 'both';
  readonly latencyMs: number;
  readonly jitterMs: number;
}

/** All connections share so many bytes a second, each way. */
export interface BandwidthFault {
  readonly kind: 'bandwidth';
  readonly connections: ConnectionChoice;
  readonly direction: Direction | 'both';
  readonly bytesPerSecond: number;
}

/** Nothing arrives in one direction until the fault is over; then all of it does. */
export interface OneWayFault {
  readonly kind: 'one-way';
  readonly connections: ConnectionChoice;
  readonly direction: Direction;
}

/** Messages of channels are lost on their way to the node; with `publish` also those from it. */
export interface DropChannelFault {
  readonly kind: 'drop-channel';
  /** A glob of the channel as the broker knows it, with the prefix. */
  readonly channel: string;
  readonly publish: boolean;
  /** Of how many, from 0 to 1. */
  readonly share: number;
}

/** A command, or a script by its name, with the first of its keys or channels. Globs. */
export interface CommandChoice {
  readonly command: string;
  readonly key: string;
  /** Of how many, from 0 to 1. */
  readonly share: number;
}

/**
 * The command arrives late, or its reply does after it was carried out. A connection answers in
 * order, so what was sent behind it waits as well.
 */
export interface SlowCommandFault extends CommandChoice {
  readonly kind: 'slow-command';
  readonly delayMs: number;
  readonly late: 'command' | 'reply';
}

/** The command does not arrive; an error is its reply. */
export interface RefuseCommandFault extends CommandChoice {
  readonly kind: 'refuse-command';
  /** One line with its code in front: `OOM command not allowed`. */
  readonly error: string;
}

export interface WireFaultHandle {
  /** How many connections (cut, reset), frames (of a command or channel) or chunks it hit. */
  touched(): number;
  /** Twice is once. */
  revert(): void;
}
