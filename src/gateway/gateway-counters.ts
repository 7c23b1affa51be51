/** What the gateway counts. `reason` and the like are from short fixed lists, never from outside. */
export class GatewayCounters {
  readonly #values = new Map<string, Map<string, number>>();

  add(name: GatewayCounterName, label = '', count = 1): void {
    let labels = this.#values.get(name);
    if (!labels) {
      labels = new Map();
      this.#values.set(name, labels);
    }
    labels.set(label, (labels.get(label) ?? 0) + count);
  }

  read(name: GatewayCounterName): ReadonlyMap<string, number> {
    return this.#values.get(name) ?? new Map();
  }
}

export const gatewayCounterHelp = {
  gateway_http_requests_total: { help: 'HTTP requests answered, by status.', label: 'status' },
  gateway_peers_opened_total: { help: 'Peer connections that said hello.', label: null },
  gateway_peers_refused_total: { help: 'Peer connections refused, by reason.', label: 'reason' },
  gateway_peers_cut_total: { help: 'Peer connections closed by the node.', label: 'reason' },
  gateway_peers_paused_total: { help: 'Times a peer sent too fast and was not read.', label: null },
  gateway_messages_received_total: { help: 'Messages from peers, by type.', label: 'type' },
  gateway_messages_sent_total: { help: 'Messages sent to peers.', label: null },
  gateway_ops_refused_total: { help: 'Ops and requests refused, by error code.', label: 'code' },
} as const;

export type GatewayCounterName = keyof typeof gatewayCounterHelp;
