import { type Clock, sleep } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { GatewayBounds } from './gateway-bounds.ts';

/** One who can be told to come back elsewhere, after a while. */
export interface Leaving {
  sendAway(reconnectAfterMs: number): void;
}

const drainStepMs = 50;
/** Peers come back within this long of being sent away; more makes each of them wait longer. */
const returnSpreadMs = 500;

/**
 * Sends everybody away, in no order, at a bounded rate and with a time to come back that is spread:
 * or a rolling restart would throw all of them at the next node at once.
 */
export async function sendAllAway(
  sessions: Leaving[],
  world: { readonly bounds: GatewayBounds; readonly clock: Clock; readonly random: Random },
): Promise<void> {
  const { bounds, clock, random } = world;
  const leaving = shuffled(sessions, random);
  const fastest = (leaving.length / bounds.drainMsMax) * 1_000;
  const perSecond = Math.max(bounds.drainPeersPerSecond, fastest);
  const perStep = Math.max(1, Math.ceil((perSecond * drainStepMs) / 1_000));
  for (let at = 0; at < leaving.length; at += perStep) {
    if (at > 0) await sleep(clock, drainStepMs);
    for (const session of leaving.slice(at, at + perStep)) {
      session.sendAway(Math.floor(random.fraction() * returnSpreadMs));
    }
  }
}

function shuffled<T>(items: T[], random: Random): T[] {
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(random.fraction() * (last + 1));
    [items[last], items[other]] = [items[other] as T, items[last] as T];
  }
  return items;
}
