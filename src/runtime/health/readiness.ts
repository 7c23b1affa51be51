import { asBackplaneError } from '../../foundation/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Sessions } from '../../ports/sessions.ts';
import type { Store } from '../../ports/store.ts';
import type { Caches } from '../cache/caches.ts';
import type { Readiness, ReadinessCheck } from '../node.ts';
import type { SessionKeeper } from '../sessions/session-keeper.ts';
import { withDeadline } from '../with-deadline.ts';
import type { SubscriberProbe } from './subscriber-probe.ts';

export interface ReadinessParts {
  readonly sessions: Sessions;
  readonly store: Store;
  readonly keeper: SessionKeeper;
  readonly probe: SubscriberProbe;
  readonly clock: Clock;
  readonly caches: Caches;
}

const checkTimeoutMs = 2_000;

/** Ready means: tried just now, it works. Nothing here is remembered from better times. */
export async function checkReadiness(parts: ReadinessParts): Promise<Readiness> {
  const { sessions, store, keeper, probe } = parts;
  const id = keeper.id();
  const checks = [
    await timed(parts, 'broker', () => sessions.read(id ?? 'none'), 'a round trip'),
    subscriberCheck(probe),
    await timed(parts, 'store', () => store.checkWritable(), 'a write'),
    {
      name: 'session' as const,
      ok: keeper.isValid(),
      detail:
        id === null ? 'none is open' : keeper.isValid() ? `${id} is valid` : `${id} is in doubt`,
      tookMs: null,
    },
    ...parts.caches.readiness(),
  ];
  return { ready: checks.every(({ ok }) => ok), checks };
}

function subscriberCheck(probe: SubscriberProbe): ReadinessCheck {
  const agoMs = probe.heardAgoMs();
  const heard =
    agoMs === null ? 'no probe came back yet' : `a probe came back ${Math.round(agoMs)} ms ago`;
  return { name: 'subscriber', ok: !probe.isDeaf, detail: heard, tookMs: agoMs };
}

async function timed(
  parts: ReadinessParts,
  name: 'broker' | 'store',
  run: () => Promise<unknown>,
  what: string,
): Promise<ReadinessCheck> {
  const startedMs = parts.clock.monotonicMs();
  const tookMs = () => parts.clock.monotonicMs() - startedMs;
  try {
    await withDeadline(parts.clock, checkTimeoutMs, run());
    return { name, ok: true, detail: `${what} worked`, tookMs: tookMs() };
  } catch (thrown) {
    const { code, message } = asBackplaneError(thrown);
    return { name, ok: false, detail: `${what} failed: ${message} (${code})`, tookMs: tookMs() };
  }
}
