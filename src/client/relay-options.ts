import { BackplaneError } from '../foundation/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import { browserClock } from './browser-clock.ts';
import { browserRandom } from './browser-random.ts';
import type { LineSettings } from './relay-line.ts';
import type { WebSocketConstructor } from './web-socket.ts';
import { workspaceUrls } from './workspace-urls.ts';

/** What a browser and a daemon both say. */
export interface RelayOptions {
  /** Nodes, or a load balancer before them: `http://host:7420`, `wss://example.com`. */
  readonly urls: string | readonly string[];
  readonly workspace: string;
  readonly token?: string | null;
  /** Where there is no global one. */
  readonly WebSocket?: WebSocketConstructor;
  readonly clock?: Clock;
  readonly random?: Random;
  /** The longest pause between two attempts to connect. */
  readonly reconnectMsMax?: number;
  readonly connectMs?: number;
  readonly pingMs?: number;
}

/** Throws URL_INVALID, NAME_INVALID, CONFIG_INVALID. */
export function lineSettings(options: RelayOptions, query: LineSettings['query']): LineSettings {
  const socket = options.WebSocket ?? (globalThis.WebSocket as WebSocketConstructor | undefined);
  if (!socket) {
    throw new BackplaneError('CONFIG_INVALID', 'there is no global WebSocket here', {
      remedy: 'pass one: { WebSocket }',
    });
  }
  return {
    urls: workspaceUrls(options.urls, options.workspace),
    query,
    token: options.token ?? null,
    WebSocket: socket,
    clock: options.clock ?? browserClock,
    random: options.random ?? browserRandom,
    reconnect: { firstMs: 100, mostMs: options.reconnectMsMax ?? 10_000 },
    connectMs: options.connectMs ?? 10_000,
    pingMs: options.pingMs ?? 10_000,
  };
}
