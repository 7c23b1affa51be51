import { asBackplaneError, publicCode } from '../../../foundation/errors.ts';
import type { RelayPingReport } from '../../act/ping-relay.ts';
import { pingRelay } from '../../act/ping-relay.ts';
import { namesOf } from '../cluster-facts.ts';
import type { Probe } from '../probe.ts';

const pingsEach = 3;

/** How long a relay frame takes between nodes. */
export const relayProbe: Probe = {
  name: 'relay',
  summary: 'measure how long relay frames take between nodes',
  description:
    'Has every node send frames to the next one and back, through the bus as forwarded ones go, and takes the slowest way. Critical when frames do not come back, and the two nodes are told.',
  ...{ unit: 'ms', worse: 'more', warn: 100, critical: 1_000, impact: 'ro', unanswered: 'unknown' },
  async measure({ engine, visitor, clock, options }) {
    const { sessions } = await engine();
    const live = (await sessions.list()).filter(({ state }) => state === 'live');
    if (live.length === 0) return { value: null, detail: 'no node is alive', failed: true };
    const world = { sessions, visitor: await visitor(), clock, token: null };
    const names = new Map(live.map(({ id, description }) => [id, description.nodeId]));
    const ways: RelayPingReport[] = [];
    const failures: string[] = [];
    await Promise.all(
      live.map(async ({ id: from }, at) => {
        const to = live[(at + 1) % live.length]?.id ?? from;
        try {
          ways.push(await pingRelay(world, { from, to, via: 'bus', count: pingsEach }, options));
        } catch (thrown) {
          const { code } = asBackplaneError(thrown);
          if (code === 'INTERNAL' || code === 'INTERRUPTED') throw thrown;
          failures.push(`${names.get(from)} to ${names.get(to)}: ${publicCode(code)}`);
        }
      }),
    );
    const slowest = ways.toSorted((a, b) => b.medianMs - a.medianMs)[0];
    const from = slowest && names.get(slowest.from);
    const detail =
      failures.length > 0
        ? namesOf(failures)
        : `${ways.length} ways work; the slowest is from ${from} to ${slowest && names.get(slowest.to)}`;
    return { value: slowest?.medianMs ?? null, detail, failed: failures.length > 0 };
  },
};
