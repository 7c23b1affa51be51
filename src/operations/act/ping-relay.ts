import { BackplaneError } from '../../foundation/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RelayPage } from '../../runtime/relay/relay-view.ts';
import type { RequestOptions } from '../../runtime/reports.ts';
import type { ClusterDoor } from '../inspect/ask-any-node.ts';
import { findLiveSession } from '../inspect/find-session.ts';
import { probeUrl, type UrlProbe } from './probe-url.ts';

export interface RelayPing {
  readonly from: string;
  readonly to: string;
  readonly via: 'bus' | 'redirect';
  readonly count: number;
}

export interface RelayPingReport {
  readonly from: string;
  readonly to: string;
  readonly via: 'bus' | 'redirect';
  readonly count: number;
  /** Where a browser is sent; null through the bus. */
  readonly url: string | null;
  /** From the request to connect to the welcome there; null through the bus. */
  readonly connectMs: number | null;
  readonly minMs: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface PingWorld extends ClusterDoor {
  readonly clock: Clock;
  readonly token: string | null;
}

/**
 * How long a frame takes between two nodes: there and back through the bus, as forwarded ones go; or
 * as a browser feels it that `from` sends to `to`, from where this runs.
 *
 * Throws NODE_UNKNOWN, NODE_DEAD, RELAY_REDIRECT_REFUSED, CONFIG_INVALID, DEADLINE_EXCEEDED and
 * others.
 */
export async function pingRelay(
  world: PingWorld,
  ping: RelayPing,
  options: RequestOptions = {},
): Promise<RelayPingReport> {
  const { sessions } = world;
  const [from, to] = await Promise.all([
    findLiveSession(sessions, ping.from),
    findLiveSession(sessions, ping.to),
  ]);
  if (ping.via === 'bus') {
    const params = { session: to.id, count: ping.count };
    const answer = await world.visitor.control(from.id, 'relay.ping', params, options);
    const { latenciesMs } = answer as { latenciesMs: number[] };
    return report(ping, null, null, latenciesMs);
  }
  const asked = { workspace: null, after: null };
  const page = (await world.visitor.control(to.id, 'relay.list', asked, options)) as RelayPage;
  if (page.publicUrl === null) {
    throw new BackplaneError('CONFIG_INVALID', `node ${ping.to} has no public URL`, {
      remedy: 'start it with --public-url, or measure --via bus',
    });
  }
  const params = { publicUrl: page.publicUrl, workspace: 'ping' };
  const answer = await world.visitor.control(from.id, 'relay.redirect', params, options);
  const { url } = answer as { url: string };
  const probe: UrlProbe = await probeUrl(world, url, ping.count, options);
  return report(ping, url, probe.connectMs, probe.latenciesMs);
}

function report(
  { from, to, via }: RelayPing,
  url: string | null,
  connectMs: number | null,
  latenciesMs: readonly number[],
): RelayPingReport {
  const sorted = latenciesMs.toSorted((a, b) => a - b);
  const at = (share: number) =>
    rounded(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0);
  return {
    from,
    to,
    via,
    count: sorted.length,
    url,
    connectMs: connectMs === null ? null : rounded(connectMs),
    minMs: at(0),
    medianMs: at(0.5),
    p99Ms: at(0.99),
    maxMs: at(1),
  };
}

function rounded(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
