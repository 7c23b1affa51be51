import type { IncomingMessage, ServerResponse } from 'node:http';
import { asBackplaneError } from '../foundation/errors.ts';
import { peerProtocol } from '../foundation/peer-protocol.ts';
import { relayProtocol } from '../foundation/relay-protocol.ts';
import type { Logger } from '../ports/logger.ts';
import type { BackplaneNode, Readiness } from '../runtime/node.ts';
import type { Doorkeeper } from './doorkeeper.ts';
import type { GatewayCounters } from './gateway-counters.ts';
import { metricsPage } from './metrics-page.ts';

export interface HttpPagesParts {
  readonly doorkeeper: Doorkeeper;
  readonly counters: GatewayCounters;
  readonly logger: Logger;
  /** Null until the node has started. */
  node(): BackplaneNode | null;
  isDraining(): boolean;
}

interface Page {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The pages for machines that watch over a node: health, metrics, and a card at the root. */
export class HttpPages {
  readonly #parts: HttpPagesParts;
  #checking: Promise<Readiness> | null = null;

  constructor(parts: HttpPagesParts) {
    this.#parts = parts;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const page = await this.#page(request).catch((thrown): Page => {
      const { code, message } = asBackplaneError(thrown);
      this.#parts.logger.event('error', 'gateway.page-failed', { code, message });
      return errorPage(500, 'INTERNAL', 'the page could not be made');
    });
    this.#parts.counters.add('gateway_http_requests_total', String(page.status));
    if (response.destroyed) return;
    response.writeHead(page.status, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(page.body),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...page.headers,
    });
    response.end(request.method === 'HEAD' ? undefined : page.body);
  }

  async #page(request: IncomingMessage): Promise<Page> {
    const { doorkeeper, counters } = this.#parts;
    if (!doorkeeper.knowsHost(request)) {
      return errorPage(421, 'REQUEST_INVALID', 'the Host header does not name this node');
    }
    // Hanging up spares us reading a body nobody wants.
    const end: Readonly<Record<string, string>> = hasBody(request) ? { connection: 'close' } : {};
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return errorPage(405, 'REQUEST_INVALID', 'pages are only read', {
        allow: 'GET, HEAD',
        ...end,
      });
    }
    if (hasBody(request)) return errorPage(413, 'PAYLOAD_TOO_LARGE', 'pages take no body', end);
    switch (pathOf(request)) {
      case '/':
        return jsonPage(200, this.#card());
      case '/health/live':
        return jsonPage(200, { live: true });
      case '/health/ready':
        return this.#ready(doorkeeper.isAuthorized(request));
      case '/metrics': {
        if (!doorkeeper.isAuthorized(request)) return unauthorized();
        const { contentType, body } = await metricsPage(this.#parts.node(), counters);
        return { status: 200, body, headers: { 'content-type': contentType } };
      }
      case peerProtocol.path:
        return errorPage(426, 'REQUEST_INVALID', 'peers connect with a WebSocket', {
          connection: 'upgrade',
          upgrade: 'websocket',
        });
      default:
        return errorPage(404, 'REQUEST_INVALID', 'there is no such page');
    }
  }

  #card(): object {
    const node = this.#parts.node();
    return {
      name: 'backplane',
      nodeId: node?.nodeId ?? null,
      session: node?.session() ?? null,
      peerProtocol: peerProtocol.version,
      peers: peerProtocol.path,
      relay: `${relayProtocol.path}WORKSPACE`,
      pages: ['/health/live', '/health/ready', '/metrics'],
    };
  }

  /** The detail names the parts of the installation, so it is for those who have the token. */
  async #ready(isAuthorized: boolean): Promise<Page> {
    const node = this.#parts.node();
    if (!node) return jsonPage(503, { ready: false, state: 'starting', nodeId: null, checks: [] });
    // Many probes at once are one round trip to the broker and the store.
    this.#checking ??= node.readiness().finally(() => {
      this.#checking = null;
    });
    const { ready, checks } = await this.#checking;
    const isDraining = this.#parts.isDraining();
    const state = isDraining ? 'draining' : ready ? 'ready' : 'failing';
    const detail = isAuthorized ? { nodeId: node.nodeId, session: node.session(), checks } : {};
    return jsonPage(state === 'ready' ? 200 : 503, { ready: state === 'ready', state, ...detail });
  }
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').replace(/\?.*$/s, '');
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function jsonPage(status: number, value: object): Page {
  return { status, body: `${JSON.stringify(value)}\n` };
}

function errorPage(
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Page {
  return { ...jsonPage(status, { error: { code, message } }), headers };
}

function unauthorized(): Page {
  const headers = { 'www-authenticate': 'Bearer' };
  return errorPage(401, 'UNAUTHORIZED', 'the token is missing or wrong', headers);
}
