import type { WebSocket } from 'ws';
import { gatewayBounds } from '../../gateway/gateway-bounds.ts';
import { GatewayCounters } from '../../gateway/gateway-counters.ts';
import { PeerAwareness } from '../../gateway/peer-awareness.ts';
import { PeerSession } from '../../gateway/peer-session.ts';
import { type Clock, repeat } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { BackplaneNode } from '../../runtime/node.ts';
import { RelayDoorway } from './relay-doorway.ts';
import type { RequestDiary } from './request-diary.ts';
import type { Wire } from './sim-socket.ts';

export interface FrontDoorParts {
  readonly node: BackplaneNode;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly diary: RequestDiary;
  readonly submitTimeoutMs: number;
}

/** How long peers that are sent away wait before they come back, at most. */
const returnSpreadMs = 500;

/** The gateway of a node without its HTTP server: the same sessions, over simulated wires. */
export class FrontDoor {
  readonly #parts: FrontDoorParts;
  readonly #node: BackplaneNode;
  readonly #counters = new GatewayCounters();
  readonly #awareness: PeerAwareness;
  readonly #sessions = new Map<PeerSession, Wire>();
  readonly relay: RelayDoorway;

  constructor(parts: FrontDoorParts) {
    this.#parts = parts;
    this.#node = watched(parts);
    this.relay = new RelayDoorway({ ...parts, counters: this.#counters });
    this.#awareness = new PeerAwareness(this.#node, gatewayBounds.awarenessMax);
    repeat(
      parts.clock,
      () => gatewayBounds.keepAliveMs,
      () => {
        for (const session of [...this.#sessions.keys()]) session.checkAlive();
      },
    );
  }

  accept(wire: Wire): void {
    const { clock, logger } = this.#parts;
    const session: PeerSession = new PeerSession({
      socket: wire.nodeEnd as unknown as WebSocket,
      node: this.#node,
      bounds: gatewayBounds,
      clock,
      logger,
      counters: this.#counters,
      awareness: this.#awareness,
      left: () => {
        this.#sessions.delete(session);
        this.#node.countConnections(this.#sessions.size);
      },
    });
    this.#sessions.set(session, wire);
    this.#node.countConnections(this.#sessions.size);
    wire.toPeer(() => wire.peerEnd.opened());
  }

  sendAway(): void {
    this.relay.sendAway();
    let at = 0;
    const share = returnSpreadMs / Math.max(1, this.#sessions.size);
    for (const session of [...this.#sessions.keys()]) session.sendAway(Math.floor(share * at++));
  }

  /** The process has ended; its machine tells whoever was connected. */
  reset(): void {
    this.relay.reset();
    for (const wire of this.#sessions.values()) wire.reset();
  }
}

/** The node as the gateway uses it, with every op a peer submits noted as a request. */
function watched({ node, diary, submitTimeoutMs }: FrontDoorParts): BackplaneNode {
  const used: Partial<BackplaneNode> = {
    nodeId: node.nodeId,
    get presence() {
      return node.presence;
    },
    session: () => node.session(),
    submit: (doc, op, options) =>
      diary.follow(submitTimeoutMs, () => node.submit(doc, op, options)),
    request: (target, method, payload, options) => node.request(target, method, payload, options),
    follow: (doc, from, follower) => node.follow(doc, from, follower),
    readState: (doc) => node.readState(doc),
    setAwareness: (doc, peer, state) => node.setAwareness(doc, peer, state),
    countConnections: (connections) => node.countConnections(connections),
  };
  return used as BackplaneNode;
}
