import type { Socket } from 'node:net';
import type { Clock } from '../../../ports/clock.ts';
import type { Random } from '../../../ports/random.ts';
import type { ActiveWireFault } from './active-wire-fault.ts';
import type { ScriptNames } from './command-words.ts';
import type { FrameCutter } from './frame-cutter.ts';
import { FrameRules } from './frame-rules.ts';
import type { ConnectionRole, Direction } from './wire-fault.ts';
import { WireLane } from './wire-lane.ts';

export interface ProxiedConnectionParts {
  readonly node: Socket;
  readonly broker: Socket;
  readonly faults: ReadonlySet<ActiveWireFault>;
  readonly clock: Clock;
  readonly random: Random;
  readonly scripts: ScriptNames;
  /** Both sockets are closed. */
  readonly onGone: () => void;
}

/**
 * One connection of a node and the one to the broker that stands for it. Data, ends and breaks of
 * one side reach the other, as far as the faults let them.
 */
export class ProxiedConnection {
  /** The faults that swallowed something: the two sides will never agree again. */
  readonly lostTo = new Set<ActiveWireFault>();
  readonly #parts: ProxiedConnectionParts;
  readonly #wedges = new Set<ActiveWireFault>();
  readonly #rules: FrameRules;
  readonly #toBroker: WireLane;
  readonly #toNode: WireLane;
  #isReset = false;

  constructor(parts: ProxiedConnectionParts) {
    this.#parts = parts;
    const { node, broker } = parts;
    this.#rules = new FrameRules({ ...parts, onRole: (role) => this.#cutOff(role) });
    this.#toBroker = this.#lane('to-broker', node, broker);
    this.#toNode = this.#lane('to-node', broker, node);
    const { commands, replies } = this.#rules;
    this.#follow(node, { lane: this.#toBroker, back: this.#toNode, cutter: commands });
    this.#follow(broker, { lane: this.#toNode, back: this.#toBroker, cutter: replies });
  }

  get role(): ConnectionRole {
    return this.#rules.role;
  }

  /** Nothing that is said on it arrives any more. */
  wedge(active: ActiveWireFault): void {
    this.#wedges.add(active);
  }

  /** Lets pass what may pass now. */
  pump(): void {
    this.#toBroker.pump();
    this.#toNode.pump();
  }

  /** Closes both sides, as a server does that ends. */
  close(): void {
    this.#stop();
    this.#parts.node.destroy();
    this.#parts.broker.destroy();
  }

  /** Breaks both sides off. */
  reset(): void {
    this.#stop();
    for (const socket of [this.#parts.node, this.#parts.broker]) {
      if (socket.connecting || socket.destroyed) socket.destroy();
      else socket.resetAndDestroy();
    }
  }

  #lane(direction: Direction, source: Socket, target: Socket): WireLane {
    const { faults, clock, random } = this.#parts;
    const role = () => this.role;
    const onLoss = (active: ActiveWireFault) => this.lostTo.add(active);
    const wedges = this.#wedges;
    return new WireLane({
      ...{ direction, source, target, faults, wedges, role, clock, random, onLoss },
    });
  }

  #follow(
    source: Socket,
    { lane, back, cutter }: { lane: WireLane; back: WireLane; cutter: FrameCutter },
  ): void {
    source.setNoDelay(true);
    source.on('data', (chunk: Buffer) => {
      if (this.#isReset) return;
      cutter.cut(chunk, this.#parts.faults.size > 0, (bytes, treatment) => {
        if (!treatment.isDropped && !this.#isReset) lane.push(bytes, treatment.holds);
      });
      const forged = this.#rules.takeForged();
      if (forged !== null) this.#toNode.push(forged, []);
    });
    source.on('end', () => lane.finish('end'));
    // What an error means for the other side is said by the close that follows it.
    source.on('error', () => {});
    source.on('close', (hadError) => {
      back.abandon();
      if (!this.#isReset) lane.finish(hadError ? 'reset' : 'close');
      if (this.#parts.node.closed && this.#parts.broker.closed) this.#gone();
    });
  }

  /** A connection is cut as soon as it turns out to be one of those that are. */
  #cutOff(role: ConnectionRole): void {
    for (const active of this.#parts.faults) {
      if (active.fault.kind !== 'cut' || !active.concerns(role)) continue;
      active.touched += 1;
      this.close();
    }
  }

  #stop(): void {
    this.#isReset = true;
    this.#toBroker.stop();
    this.#toNode.stop();
  }

  #gone(): void {
    this.#stop();
    this.#parts.onGone();
  }
}
