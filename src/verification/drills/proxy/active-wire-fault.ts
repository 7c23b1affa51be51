import type { Clock } from '../../../ports/clock.ts';
import { ByteRate } from './byte-rate.ts';
import type { ConnectionChoice, ConnectionRole, Direction, WireFault } from './wire-fault.ts';

/** A fault in effect at one proxy, with what it did so far. */
export class ActiveWireFault<Fault extends WireFault = WireFault> {
  readonly fault: Fault;
  touched = 0;
  isActive = true;
  readonly #rates: Readonly<Record<Direction, ByteRate>> | null;

  constructor(fault: Fault, clock: Clock) {
    this.fault = fault;
    this.#rates =
      fault.kind === 'bandwidth'
        ? {
            'to-broker': new ByteRate(fault.bytesPerSecond, clock),
            'to-node': new ByteRate(fault.bytesPerSecond, clock),
          }
        : null;
  }

  rate(direction: Direction): ByteRate | null {
    return this.#rates?.[direction] ?? null;
  }

  /** Whether a connection of that role, in that direction, is what the fault is about. */
  concerns(role: ConnectionRole, direction?: Direction): boolean {
    const { fault } = this;
    const choice: ConnectionChoice = 'connections' in fault ? fault.connections : 'all';
    if (choice !== 'all' && choice !== role) return false;
    if (direction === undefined || !('direction' in fault)) return true;
    return fault.direction === 'both' || fault.direction === direction;
  }
}

export function isKind<Kind extends WireFault['kind']>(
  active: ActiveWireFault,
  kind: Kind,
): active is ActiveWireFault<Extract<WireFault, { kind: Kind }>> {
  return active.fault.kind === kind;
}
