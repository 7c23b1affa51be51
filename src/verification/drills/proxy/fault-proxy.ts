import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type Clock, repeat } from '../../../ports/clock.ts';
import type { Random } from '../../../ports/random.ts';
import { ActiveWireFault } from './active-wire-fault.ts';
import type { ScriptNames } from './command-words.ts';
import { ProxiedConnection } from './proxied-connection.ts';
import type { ConnectionRole, WireFault, WireFaultHandle } from './wire-fault.ts';

export interface FaultProxyOptions {
  /** Asked for every new connection, so the server may move. */
  readonly upstream: () => number;
  readonly clock: Clock;
  readonly random: Random;
  /** So that faults of a command can name scripts. */
  readonly scripts?: ScriptNames;
}

/** A TCP proxy on loopback between one node and its broker, which can be made to misbehave. */
export interface FaultProxy {
  readonly port: number;
  /** Takes effect at once, on the connections there are and on later ones, next to other faults. */
  inject(fault: WireFault): WireFaultHandle;
  /** What each open connection is used for. */
  connections(): readonly ConnectionRole[];
  close(): Promise<void>;
}

/** A half-open connection that the node gave up stays until the fault is over. */
const connectionsMax = 1_024;

export async function openFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  // Without half-open sockets a side that has said all would be cut off from its answers.
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return new LoopbackProxy(server, options);
}

class LoopbackProxy implements FaultProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #options: FaultProxyOptions;
  readonly #connections = new Set<ProxiedConnection>();
  readonly #faults = new Set<ActiveWireFault>();
  readonly #reverts = new Set<() => void>();
  #isClosed = false;

  constructor(server: Server, options: FaultProxyOptions) {
    this.#server = server;
    this.#options = options;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (socket) => this.#accept(socket));
  }

  inject(fault: WireFault): WireFaultHandle {
    const active = new ActiveWireFault(fault, this.#options.clock);
    this.#faults.add(active);
    this.#hit(active);
    const timer =
      fault.kind === 'reset' && fault.everyMs !== null
        ? repeat(
            this.#options.clock,
            () => fault.everyMs as number,
            () => this.#hit(active),
          )
        : null;
    const revert = () => {
      timer?.cancel();
      this.#reverts.delete(revert);
      if (active.isActive) this.#revert(active);
    };
    this.#reverts.add(revert);
    return { touched: () => active.touched, revert };
  }

  connections(): readonly ConnectionRole[] {
    return [...this.#connections].map(({ role }) => role);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const revert of [...this.#reverts]) revert();
    for (const connection of [...this.#connections]) connection.close();
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** What a fault does to the connections that are there. */
  #hit(active: ActiveWireFault): void {
    const { kind } = active.fault;
    for (const connection of [...this.#connections]) {
      if (!active.concerns(connection.role)) continue;
      if (kind === 'cut') connection.close();
      else if (kind === 'reset') connection.reset();
      else if (kind === 'wedge') connection.wedge(active);
      // One that is only stuck counts when it loses something.
      if (kind === 'cut' || kind === 'reset') active.touched += 1;
    }
  }

  #revert(active: ActiveWireFault): void {
    active.isActive = false;
    this.#faults.delete(active);
    for (const connection of [...this.#connections]) {
      if (this.#isBrokenBy(active, connection)) connection.reset();
      else connection.pump();
    }
  }

  /** After a half-open network, unless the connection is in another one. */
  #isBrokenBy(active: ActiveWireFault, connection: ProxiedConnection): boolean {
    const concerns = (each: ActiveWireFault) =>
      each.fault.kind === 'half-open' && each.concerns(connection.role);
    if ([...this.#faults].some(concerns)) return false;
    return concerns(active) || connection.lostTo.has(active);
  }

  #accept(node: Socket): void {
    if (this.#isRefused()) {
      node.on('error', () => {});
      node.resetAndDestroy();
      return;
    }
    const { upstream, clock, random, scripts = new Map() } = this.#options;
    const broker = connect({ host: '127.0.0.1', port: upstream(), allowHalfOpen: true });
    const onGone = () => this.#connections.delete(connection);
    const faults = this.#faults;
    const parts = { node, broker, faults, clock, random, scripts, onGone };
    const connection = new ProxiedConnection(parts);
    this.#connections.add(connection);
  }

  #isRefused(): boolean {
    for (const active of this.#faults) {
      if (active.fault.kind !== 'cut' || !active.concerns('new')) continue;
      active.touched += 1;
      return true;
    }
    return this.#isClosed || this.#connections.size >= connectionsMax;
  }
}
