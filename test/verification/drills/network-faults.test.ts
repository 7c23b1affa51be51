import * as v from 'valibot';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DrillCluster, DrillNode } from '../../../src/verification/drills/drill-cluster.ts';
import type { ActiveFault, FaultKind } from '../../../src/verification/drills/fault.ts';
import * as networkFaults from '../../../src/verification/drills/faults/network-faults.ts';
import { SeededRandom } from '../../../src/verification/seeded-random.ts';
import { realClock } from '../../support/real-clock.ts';
import { ProxiedRedis } from './support/proxied-redis.ts';

const kinds: readonly FaultKind[] = Object.values(networkFaults);

let redis: ProxiedRedis;
beforeAll(async () => {
  redis = await ProxiedRedis.start();
});
beforeEach(() => redis.renew());
afterAll(() => redis.stop());

function inject(kind: FaultKind, parameters: Record<string, unknown> = {}): Promise<ActiveFault> {
  // All that a fault of the network looks at.
  const node = { nodeId: 'node-a', proxy: redis.proxy } as DrillNode;
  const cluster = { nodes: [node] } as unknown as DrillCluster;
  const site = { cluster, node, clock: realClock, random: new SeededRandom(1) };
  return kind.inject(site, v.parse(kind.parameters, parameters));
}

/** What a node does all the time: commands, and messages to itself. */
async function traffic(): Promise<() => void> {
  let isOver = false;
  const work = async (): Promise<void> => {
    while (!isOver) {
      try {
        const client = await redis.client({ commandTimeout: 200, connectTimeout: 200 });
        const { client: subscriber } = await redis.listener('news', { commandTimeout: 200 });
        while (!isOver && client.status === 'ready' && subscriber.status === 'ready') {
          await client.publish('news', 'x'.repeat(5_000));
        }
      } catch {
        await new Promise((resolve) => realClock.after(5, () => resolve(null)));
      }
    }
  };
  const working = work();
  return () => {
    isOver = true;
    return working;
  };
}

describe('the faults of the network', () => {
  it('are eleven, each with a name of its own, and fit any cluster', () => {
    expect(kinds.map(({ name }) => name).sort()).toEqual([
      ...['bandwidth', 'cut', 'deaf', 'drop-channel', 'half-open', 'latency', 'one-way'],
      ...['refuse-command', 'reset', 'slow-command', 'wedge'],
    ]);
    expect(kinds.every((kind) => kind.on === 'node' && !kind.endsNode)).toBe(true);
    expect(kinds.map((kind) => kind.unfit({} as DrillCluster))).toEqual(kinds.map(() => null));
  });

  it.each(
    kinds.map((kind) => [kind.name, kind] as const),
  )('%s has an effect without a parameter, shows it, and leaves nothing of it', async (_, kind) => {
    const stop = await traffic();
    await expect.poll(() => redis.proxy.connections()).toContain('subscriber');
    const fault = await inject(kind);
    await expect.poll(() => fault.evidence()).toMatch(/^(\d+ |traffic )/);
    await Promise.all([fault.revert(), fault.revert()]);
    await stop();
    const { heard } = await redis.listener('after');
    const client = await redis.client();
    await expect.poll(() => redis.server.cli('PUBSUB', 'NUMSUB', 'after')).toMatch(/1$/);
    expect(await client.publish('after', 'hello')).toBe(1);
    await expect.poll(() => heard).toEqual(['after hello']);
  });

  it('prove nothing where nothing happened', async () => {
    for (const kind of kinds) {
      const fault = await inject(kind);
      expect([kind.name, await fault.evidence()]).toEqual([kind.name, null]);
      await fault.revert();
    }
  });

  it.each([
    ['latency', { by: 5 }, 'write a duration: a number and a unit, as 250ms or 5s'],
    ['latency', { by: '5' }, '"5" is not a duration'],
    ['latency', { direction: 'up' }, 'write direction as both, to-broker or to-node'],
    ['cut', { connections: 'some' }, 'write connections as all, command or subscriber'],
    ['reset', { every: '0ms' }, 'the duration is at least 1ms'],
    ['drop-channel', { share: 0 }, 'share is above 0'],
    ['refuse-command', { error: 'no\r\n+OK' }, 'write an error as Redis does: OOM no memory left'],
  ])('%s refuses %j', (name, parameters, message) => {
    const kind = kinds.find((each) => each.name === name) as FaultKind;
    const { issues } = v.safeParse(kind.parameters, parameters);
    expect(issues?.[0].message).toContain(message);
  });

  it('refuses a parameter that it does not know', () => {
    expect(kinds.filter((kind) => v.safeParse(kind.parameters, { typo: 1 }).success)).toEqual([]);
  });
});
