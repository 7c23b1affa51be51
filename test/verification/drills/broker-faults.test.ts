import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import type { OwnedBroker } from '../../../src/verification/drills/brokers/owned-broker.ts';
import type { DrillCluster } from '../../../src/verification/drills/drill-cluster.ts';
import type { FaultSite } from '../../../src/verification/drills/fault.ts';
import {
  brokerFailoverFault,
  brokerPauseFault,
  brokerRestartFault,
} from '../../../src/verification/drills/faults/broker-faults.ts';
import { SeededRandom } from '../../../src/verification/seeded-random.ts';
import { realClock } from '../../support/real-clock.ts';
import { BrokerGround } from './support/drill-brokers.ts';

function clusterOf(broker: OwnedBroker, store: 'redis' | 'sqlite' = 'sqlite'): DrillCluster {
  return { broker, store: { kind: store, path: null, url: '' }, nodes: [], folder: '' };
}

function siteOf(broker: OwnedBroker): FaultSite {
  const cluster = clusterOf(broker);
  return { cluster, node: null, clock: realClock, random: new SeededRandom(1) };
}

const soon = async () => new Promise((resolve) => setTimeout(resolve, 60));

describe('the fault broker-restart', () => {
  it.each([
    { keepData: true, keys: 1 },
    { keepData: false, keys: 0 },
  ])('holds the broker down and starts it again, keepData: $keepData', async (row) => {
    await using ground = await BrokerGround.make();
    const broker = await ground.start('redis');
    await broker.command('SET', 'a', '1');
    const active = await brokerRestartFault.inject(siteOf(broker), { keepData: row.keepData });
    expect(await active.evidence()).toMatch(/ended by SIGKILL/);
    await active.revert();
    await active.revert();
    expect(await broker.command('DBSIZE')).toBe(row.keys);
  });

  it('does not fit a broker that could not keep what it is to keep, nor a store that must', async () => {
    await using ground = await BrokerGround.make();
    const [wasm, redis] = [await ground.start('embedded wasm'), await ground.start('redis')];
    const unfit = brokerRestartFault.unfit.bind(brokerRestartFault);
    expect(unfit(clusterOf(wasm))).toMatch(/keeps nothing/);
    expect(unfit(clusterOf(wasm), { keepData: false })).toBeNull();
    expect(unfit(clusterOf(redis))).toBeNull();
    expect(unfit(clusterOf(redis, 'redis'), { keepData: false })).toMatch(/lost ops/);
  });
});

describe('the fault broker-pause', () => {
  it('lets the broker answer nothing until it is taken back', async () => {
    await using ground = await BrokerGround.make();
    const broker = await ground.start('redis');
    const active = await brokerPauseFault.inject(siteOf(broker), {});
    await soon();
    expect(await active.evidence()).toMatch(/answered nothing for/);
    await active.revert();
    expect(await broker.command('PING')).toBe('PONG');
  });

  it('has no evidence when the broker went on all the same', async () => {
    await using ground = await BrokerGround.make();
    const broker = await ground.start('redis');
    const active = await brokerPauseFault.inject(siteOf(broker), {});
    broker.resume();
    await broker.command('PING');
    await soon();
    expect(await active.evidence()).toBeNull();
    await active.revert();
  });
});

describe('the fault broker-failover', () => {
  it('reads its lag as a duration', () => {
    const read = (parameters: object) => v.parse(brokerFailoverFault.parameters, parameters);
    expect(read({})).toEqual({ lag: 0 });
    expect(read({ lag: '1.5s' })).toEqual({ lag: 1_500 });
    expect(() => read({ lag: 'long' })).toThrow(/not a duration/);
    expect(() => read({ lag: 5 })).toThrow(/a number and a unit/);
  });

  it('leaves the cluster without a broker until it is taken back, then gives it the replica', async () => {
    await using ground = await BrokerGround.make();
    const broker = await ground.start('pair');
    await broker.command('SET', 'a', '1');
    const active = await brokerFailoverFault.inject(siteOf(broker), { lag: 0 });
    await expect(broker.command('PING')).rejects.toMatchObject({ code: 'BACKPLANE_UNREACHABLE' });
    expect(await active.evidence()).toMatch(/its replica has all of its writes/);
    await active.revert();
    expect(await broker.command('GET', 'a')).toBe('1');
  });

  it('has no evidence of a lag in which nothing was written', async () => {
    await using ground = await BrokerGround.make();
    const active = await brokerFailoverFault.inject(siteOf(await ground.start('pair')), {
      lag: 20,
    });
    expect(await active.evidence()).toBeNull();
    await active.revert();
  });

  it('does not fit a broker without a replica, nor a lag when the store is in the pair', async () => {
    await using ground = await BrokerGround.make();
    const pair = await ground.start('pair');
    const unfit = brokerFailoverFault.unfit.bind(brokerFailoverFault);
    expect(unfit({ ...clusterOf(pair), broker: { ...pair, failOver: null } as never })).toMatch(
      /no replica/,
    );
    expect(unfit(clusterOf(pair, 'redis'))).toBeNull();
    expect(unfit(clusterOf(pair, 'redis'), { lag: 1 })).toMatch(/lost ops/);
    expect(unfit(clusterOf(pair), { lag: 1 })).toBeNull();
  });
});
