import { formatDuration } from '../foundation/duration.ts';
import { BackplaneError } from '../foundation/errors.ts';
import { dials, protocol } from '../foundation/limits.ts';
import type { RelaySettings } from './relay/redirect-rules.ts';
import { trustedMs } from './sessions/session-deadline.ts';

/** The dials of a node; their meaning is in `foundation/limits.ts`. */
export interface NodeDials {
  readonly leaseTtlMs: number;
  readonly heartbeatMs: number;
  readonly nodeTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly awarenessTtlMs: number;
  readonly awarenessRatePerSecond: number;
  readonly snapshotOps: number;
  readonly snapshotMs: number;
  readonly idleDocumentMs: number;
  readonly takeoverGraceMs: number;
}

export interface NodeSettings {
  readonly nodeId: string;
  readonly version: string;
  readonly pid: number;
  /** Where the gateway listens, asked when a session opens. */
  readonly address: () => string | null;
  readonly dials: NodeDials;
  /** False leaves dead owners to the TTL: for clusters that must read linearizably from memory. */
  readonly fastTakeover: boolean;
  readonly documentEngine: 'json' | 'log';
  /** Between two probes of its own ears; the protocol's, unless it is said here. */
  readonly selfProbeMs?: number;
  /** Without it no browser is sent here, or from here to another node. */
  readonly relay?: RelaySettings | undefined;
  /** An operator asked this node to drain and stop; whoever runs it decides how. */
  readonly drainRequested: () => void;
}

export const defaultDials: NodeDials = dials;

/** Refuses dials that contradict each other; throws CONFIG_INVALID. */
export function checkDials(given: NodeDials): void {
  for (const [name, value] of Object.entries(given)) {
    if (!Number.isFinite(value) || value <= 0) fail(`${name} must be above 0`);
  }
  const trusted = trustedMs(given.leaseTtlMs);
  const renewals = 3 * given.heartbeatMs + renewalTimeoutMs(given);
  if (renewals >= trusted) {
    fail(
      `a lease TTL of ${formatDuration(given.leaseTtlMs)} leaves no room for three heartbeats of ${formatDuration(given.heartbeatMs)} and the answer to the last`,
    );
  }
  if (given.nodeTimeoutMs < 2 * given.heartbeatMs) {
    fail(
      `a node timeout of ${formatDuration(given.nodeTimeoutMs)} gives up nodes between two heartbeats of ${formatDuration(given.heartbeatMs)}`,
    );
  }
}

function fail(why: string): never {
  throw new BackplaneError('CONFIG_INVALID', why, {
    remedy: 'change --lease-ttl, --heartbeat or --node-timeout',
  });
}

/** How long a renewal may take: it must fail before the next one is due, whatever the dials. */
export function renewalTimeoutMs(given: NodeDials): number {
  return Math.min(protocol.renewalTimeoutMs, given.heartbeatMs);
}
