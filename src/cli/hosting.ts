import type { Logger } from '../ports/logger.ts';
import type { BackplaneNode } from '../runtime/node.ts';
import type { NodeDials } from '../runtime/node-settings.ts';
import type { RelaySettings } from '../runtime/relay/redirect-rules.ts';
import type { Settings } from './settings.ts';

/** What a command that runs a node in this process says about it. */
export interface HostingRequest {
  /** Null: named after the machine and the port. */
  readonly nodeId: string | null;
  /** Null: no gateway. */
  readonly gateway: { readonly host: string; readonly port: number | null } | null;
  readonly dials: NodeDials;
  readonly fastTakeover: boolean;
  readonly documentEngine: 'json' | 'log';
  readonly relay?: RelaySettings;
  /** True starts an embedded broker when the settings name no backplane and none runs. */
  readonly startsBroker: boolean;
  readonly logger: Logger;
  /** An operator asked the node to drain and stop. */
  drainRequested(): void;
}

/** A started node with everything it stands on. */
export interface HostedNode {
  readonly node: BackplaneNode;
  /** Safe to print: `redis://127.0.0.1:6379`, `sqlite:/home/me/…`. */
  readonly url: string;
  readonly store: string;
  /** Where peers connect; null without a gateway. */
  readonly address: string | null;
  /** What the user should know: nothing is kept, somebody else has this name. */
  readonly notices: readonly string[];
  /** Hands over, sends the peers away, leaves, closes everything. Twice is once. */
  close(): Promise<void>;
}

export type HostNode = (settings: Settings, request: HostingRequest) => Promise<HostedNode>;

/** What `backplane broker` says about the broker it runs. */
export interface BrokerRequest {
  readonly engine: 'auto' | 'server' | 'wasm';
  /** Null: until a signal. */
  readonly transientMs: number | null;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  ready(broker: BrokerReady): void;
}

export interface BrokerReady {
  readonly url: string;
  readonly server: string;
  readonly volatile: boolean;
  readonly pid: number;
}

/** Runs a broker in this process until the signal, or until a transient one has no client left. */
export type RunBroker = (settings: Settings, request: BrokerRequest) => Promise<'stopped' | 'idle'>;
