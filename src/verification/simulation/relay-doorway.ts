import type { WebSocket } from 'ws';
import { gatewayBounds } from '../../gateway/gateway-bounds.ts';
import type { GatewayCounters } from '../../gateway/gateway-counters.ts';
import type { RelayRequest } from '../../gateway/read-relay-request.ts';
import { RelaySession } from '../../gateway/relay-session.ts';
import { type Clock, repeat } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { BackplaneNode } from '../../runtime/node.ts';
import type { Wire } from './sim-socket.ts';

export interface RelayDoorwayParts {
  readonly node: BackplaneNode;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: GatewayCounters;
}

/** The relay connections of a node without its HTTP server: the same sessions, over simulated wires. */
export class RelayDoorway {
  readonly #parts: RelayDoorwayParts;
  readonly #sessions = new Map<RelaySession, Wire>();

  constructor(parts: RelayDoorwayParts) {
    this.#parts = parts;
    repeat(
      parts.clock,
      () => gatewayBounds.keepAliveMs,
      () => {
        for (const session of [...this.#sessions.keys()]) session.checkAlive();
      },
    );
  }

  /** `node` is what the session sees of it: somebody may look at what passes. */
  accept(wire: Wire, request: RelayRequest, seen: (node: BackplaneNode) => BackplaneNode): void {
    // First of all: a socket that is not open yet would not hear the welcome.
    wire.toPeer(() => wire.peerEnd.opened());
    const session: RelaySession = new RelaySession({
      ...this.#parts,
      node: seen(this.#parts.node),
      socket: wire.nodeEnd as unknown as WebSocket,
      request,
      bounds: gatewayBounds,
      left: () => void this.#sessions.delete(session),
    });
    this.#sessions.set(session, wire);
  }

  sendAway(): void {
    for (const session of [...this.#sessions.keys()]) session.sendAway(0);
  }

  reset(): void {
    for (const wire of this.#sessions.values()) wire.reset();
  }
}
