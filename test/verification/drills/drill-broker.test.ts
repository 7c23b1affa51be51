import { describe, expect, it, vi } from 'vitest';
import { startBroker } from '../../../src/verification/drills/brokers/start-broker.ts';
import type { DrillCluster } from '../../../src/verification/drills/drill-cluster.ts';
import { readProcess } from '../../../src/verification/drills/nodes/read-process.ts';
import { BrokerGround, type BrokerKind } from './support/drill-brokers.ts';

const kinds: BrokerKind[] = ['redis', 'pair', 'embedded server', 'embedded wasm'];
const lasting: BrokerKind[] = ['redis', 'pair'];

describe.each(kinds)('the broker of a drill: %s', (kind) => {
  it('answers at its port, says what it is, and leaves no process behind', async () => {
    await using ground = await BrokerGround.make();
    const broker = await ground.start(kind);
    expect(broker.server).toMatch(/^(Redis|Valkey) \d+\.\d+/);
    expect(broker.volatile).toBe(kind === 'embedded wasm');
    expect(await broker.command('SET', 'a', '1')).toBe('OK');
    expect(ground.living()).toEqual(ground.pids);
    expect([...ground.watched].sort()).toEqual([...ground.pids].sort());
    await broker.close();
    await broker.close();
    await vi.waitFor(() => expect(ground.living()).toEqual([]));
    expect(ground.watched.size).toBe(0);
  });

  it('has nothing after a kill when it starts without its data', async () => {
    await using ground = await BrokerGround.make();
    const broker = await ground.start(kind);
    const port = broker.port();
    await broker.command('SET', 'a', '1');
    await broker.kill();
    await expect(broker.command('PING')).rejects.toMatchObject({ code: 'BACKPLANE_UNREACHABLE' });
    await broker.start({ keepData: false });
    expect(broker.port()).toBe(port);
    expect(await broker.command('DBSIZE')).toBe(0);
  });

  it('hangs while it is paused, and answers what it was asked meanwhile', async () => {
    await using ground = await BrokerGround.make();
    const broker = await ground.start(kind);
    broker.pause();
    const states = () => ground.pids.map((pid) => readProcess(pid)?.state);
    const stopped = kind === 'pair' ? 1 : ground.pids.length;
    await vi.waitFor(() => expect(states().filter((each) => each === 'T')).toHaveLength(stopped));
    const set = broker.command('SET', 'a', '1');
    const timeout = Symbol();
    const first = await Promise.race([set, new Promise((end) => setTimeout(end, 150, timeout))]);
    expect(first).toBe(timeout);
    broker.resume();
    expect(await set).toBe('OK');
  });

  it('ends also when it is paused', async () => {
    await using ground = await BrokerGround.make();
    const broker = await ground.start(kind);
    broker.pause();
    await broker.close();
    await vi.waitFor(() => expect(ground.living()).toEqual([]));
  });
});

describe.each(lasting)('the broker of a drill that keeps its data: %s', (kind) => {
  it('has after a kill what it acknowledged, to the last write', async () => {
    await using ground = await BrokerGround.make();
    const broker = await ground.start(kind);
    for (let round = 1; round <= 3; round++) {
      const acknowledged = await countUntilKilled(broker);
      await broker.start({ keepData: true });
      expect(Number(await broker.command('GET', 'n'))).toBeGreaterThanOrEqual(acknowledged);
    }
  });
});

it('has after a kill what its embedded server had written to its file', async () => {
  await using ground = await BrokerGround.make();
  const broker = await ground.start('embedded server');
  await broker.command('SET', 'a', '1');
  // Unlike the drill's own, it puts a write off while an fsync is under way.
  const file = async () => String(await broker.command('INFO', 'persistence'));
  await vi.waitFor(async () => expect(await file()).toContain('aof_buffer_length:0'));
  await broker.kill();
  await broker.start({ keepData: true });
  expect(await broker.command('GET', 'a')).toBe('1');
});

describe('a pair', () => {
  it('loses nothing acknowledged in a failover without a lag, again and again', async () => {
    await using ground = await BrokerGround.make();
    const broker = await ground.start('pair');
    for (let round = 1; round <= 2; round++) {
      const port = broker.port();
      await broker.command('SET', 'n', String(round));
      expect(await broker.failOver?.losePrimary(0)).toBe(0);
      await expect(broker.command('PING')).rejects.toMatchObject({
        code: 'BACKPLANE_UNREACHABLE',
      });
      await broker.failOver?.promote();
      expect(broker.port()).not.toBe(port);
      expect(await broker.command('GET', 'n')).toBe(String(round));
      expect(await broker.command('SET', 'writable', 'yes')).toBe('OK');
    }
    await broker.kill();
    await broker.start({ keepData: true });
    expect(await broker.command('GET', 'n')).toBe('2');
  });

  it('loses what was written in the lag before a failover, and nothing older', async () => {
    await using ground = await BrokerGround.make();
    const broker = await ground.start('pair');
    await broker.command('SET', 'before', 'kept');
    const lost = broker.failOver?.losePrimary(400);
    const replicas = async () => String(await broker.command('INFO', 'replication'));
    await vi.waitFor(async () => expect(await replicas()).toContain('connected_slaves:0'));
    await broker.command('SET', 'within', 'lost');
    expect(await lost).toBeGreaterThan(0);
    await broker.failOver?.promote();
    expect(await broker.command('MGET', 'before', 'within')).toEqual(['kept', null]);
  });
});

it('says at once that no server is installed', async () => {
  const plan = { kind: 'redis', binary: null } as const;
  await expect(startBroker(plan, {} as never)).rejects.toMatchObject({
    code: 'INCONCLUSIVE',
    remedy: expect.stringContaining('install'),
  });
});

/** Counts in the broker until it is killed in the middle of it; answers the last count it gave. */
async function countUntilKilled(broker: DrillCluster['broker']): Promise<number> {
  let acknowledged = 0;
  let isOver = false;
  const counting = Array.from({ length: 8 }, async () => {
    while (!isOver) {
      try {
        acknowledged = Math.max(acknowledged, Number(await broker.command('INCR', 'n')));
      } catch {
        return;
      }
    }
  });
  await vi.waitFor(() => expect(acknowledged).toBeGreaterThan(30), { interval: 5 });
  await broker.kill();
  isOver = true;
  await Promise.all(counting);
  return acknowledged;
}
