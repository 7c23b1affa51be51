import { expect, it, vi } from 'vitest';
import { SystemClock } from '../../../src/drivers/system/system-clock.ts';
import { budgetDefaults } from '../../../src/verification/budgets.ts';
import { LoadCounts } from '../../../src/verification/drills/workload/load-counts.ts';
import type { LoadFollower } from '../../../src/verification/drills/workload/load-follower.ts';
import { LoadLine } from '../../../src/verification/drills/workload/load-line.ts';
import { Standstill } from '../../../src/verification/drills/workload/standstill.ts';
import type { EventOf, Recordable } from '../../../src/verification/history-event.ts';
import { LiveJudge } from '../../../src/verification/live-judge.ts';
import { CutProxy } from '../../client/support/cut-proxy.ts';
import { GatewayWorld } from '../../gateway/support/gateway-world.ts';

const soon = { timeout: 4_500, interval: 5 };
const clock = new SystemClock();

/** Followers of one document, by the addresses each of them knows, and all that they record. */
async function follow(world: GatewayWorld, ...addresses: string[][]) {
  const events: Recordable[] = [];
  const live = new LiveJudge({ ...budgetDefaults, awarenessMs: 0 });
  const record = (event: Recordable) => {
    events.push(event);
    live.observe(event, clock.monotonicMs());
  };
  const counts = new LoadCounts();
  const standstill = new Standstill(clock.monotonicMs());
  const site = { recorder: { record }, clock, counts, standstill, requestTimeoutMs: 1_000 };
  const followers: LoadFollower[] = [];
  for (const [at, urls] of addresses.entries()) {
    const peer = `peer-${at + 1}`;
    const options = { peer, urls, token: null, docs: ['d'], site };
    const line = world.track(new LoadLine(options), (open) => open.close());
    const [follower] = line.followers as [LoadFollower];
    await line.connected();
    follower.open();
    await vi.waitFor(() => expect(follower.isJoined).toBe(true), soon);
    followers.push(follower);
  }
  const all = <Name extends Recordable['ev']>(name: Name) =>
    events.filter((event) => event.ev === name) as unknown as EventOf<Name>[];
  return { followers, counts, live, all };
}

it('records ops that go on under another id as refused and invoked again', async () => {
  await using world = new GatewayWorld();
  const { address } = await world.serve('a', { engine: 'json' });
  const { followers, counts, live, all } = await follow(world, [address]);
  const [follower] = followers as [LoadFollower];
  for (const payload of [{ n: 1 }, Uint8Array.of(255), { n: 3 }]) follower.send(payload);
  await vi.waitFor(() => expect(counts.underWay).toBe(0), soon);
  const invoked = all('op.invoke').map(({ opId }) => opId);
  expect(invoked).toHaveLength(4);
  expect(all('op.ok').map(({ opId, seq }) => [opId, seq])).toEqual([
    [invoked[0], 1],
    [invoked[3], 2],
  ]);
  expect(all('op.fail').map(({ opId, code, certainty }) => [opId, code, certainty])).toEqual([
    [invoked[2], 'RENAMED', 'definite'],
    [invoked[1], 'PAYLOAD_INVALID', 'definite'],
  ]);
  expect(counts).toMatchObject({ sent: 3, acknowledged: 2, failed: 1, doubtful: 0 });
  expect(live.violations()).toEqual([]);
});

it('records that its awareness goes along when a refused op changes its id', async () => {
  await using world = new GatewayWorld();
  const { address } = await world.serve('a', { engine: 'json' });
  const { followers, counts, live, all } = await follow(world, [address], [address]);
  const [one, other] = followers as [LoadFollower, LoadFollower];
  one.setAwareness();
  one.send(Uint8Array.of(255));
  await vi.waitFor(() => expect(counts.failed).toBe(1), soon);
  const [first, gone, moved] = all('awareness.set');
  expect(gone).toMatchObject({ peer: first?.peer, state: null, certainty: 'definite' });
  expect(moved).toMatchObject({ clock: 1, state: { clock: 1 }, certainty: 'definite' });
  expect(moved?.peer).not.toBe(first?.peer);
  const seen = () => {
    other.recordView();
    return all('awareness.view').at(-1)?.states;
  };
  await vi.waitFor(() => {
    expect(seen()).toEqual({ [moved?.peer as string]: { clock: 1, state: { clock: 1 } } });
  }, soon);
  expect(live.violations().filter(({ law }) => law !== 'awareness-converges')).toEqual([]);
});

it('says that its awareness may be gone while it has no connection', async () => {
  await using world = new GatewayWorld();
  const { address } = await world.serve('a');
  const proxy = world.track(await CutProxy.open(address), (open) => open.close());
  const { followers, all } = await follow(world, [proxy.address]);
  const [follower] = followers as [LoadFollower];
  follower.setAwareness();
  proxy.cut();
  await vi.waitFor(() => expect(follower.isJoined).toBe(false), soon);
  follower.setAwareness();
  follower.recordView();
  await vi.waitFor(() => expect(follower.isJoined).toBe(true), soon);
  follower.recordView();
  const told = all('awareness.set').map(({ clock, state, certainty }) => [clock, state, certainty]);
  expect(told).toEqual([
    [1, { clock: 1 }, 'definite'],
    [1, null, 'indefinite'],
    [2, { clock: 2 }, 'indefinite'],
    [2, { clock: 2 }, 'definite'],
  ]);
  expect(all('awareness.view')).toHaveLength(1);
  expect(all('subscribe')).toHaveLength(1);
});

it('begins a new life, as another subscriber, when its document is lost', async () => {
  await using world = new GatewayWorld();
  await using elsewhere = new GatewayWorld();
  const { address, gateway } = await world.serve('a');
  const other = await elsewhere.serve('b');
  const { followers, counts, all } = await follow(world, [address, other.address]);
  const [follower] = followers as [LoadFollower];
  for (const n of [1, 2, 3]) follower.send({ n });
  await vi.waitFor(() => expect(counts).toMatchObject({ acknowledged: 3, deliveries: 3 }), soon);
  // Where it goes now, nobody knows of what was acknowledged.
  await gateway.stop();
  await vi.waitFor(() => expect(all('subscribe')).toHaveLength(2), soon);
  follower.send({ n: 4 });
  await vi.waitFor(() => expect(counts.acknowledged).toBe(4), soon);
  expect(all('note').map(({ text }) => text)).toEqual(['peer-1 lost d: LOG_REWOUND']);
  expect(all('unsubscribe').map(({ subscriber }) => subscriber)).toEqual(['peer-1']);
  expect(all('subscribe').map(({ subscriber, after }) => [subscriber, after])).toEqual([
    ['peer-1', 0],
    ['peer-1.2', 0],
  ]);
  await vi.waitFor(() => expect(follower.seq).toBe(1), soon);
});

it('tells a request that nobody answers how it ended, in its time', async () => {
  await using world = new GatewayWorld();
  const { address } = await world.serve('a');
  const proxy = world.track(await CutProxy.open(address), (open) => open.close());
  const { followers, counts, live, all } = await follow(world, [proxy.address]);
  const [follower] = followers as [LoadFollower];
  follower.send({ n: 1 });
  await vi.waitFor(() => expect(counts.acknowledged).toBe(1), soon);
  await follower.request('answered');
  proxy.swallowAnswers();
  await follower.request('swallowed');
  expect(all('request.end').map(({ id, code }) => [id, code])).toEqual([
    ['answered', null],
    ['swallowed', 'DEADLINE_EXCEEDED'],
  ]);
  expect(counts).toMatchObject({ requestsSent: 2, requestsAnswered: 1, requestsFailed: 1 });
  expect(live.violations()).toEqual([]);
});

it('blames nobody for what was late because the process stood still', () => {
  const standstill = new Standstill(0);
  for (let atMs = 0; atMs <= 40; atMs += 8) standstill.tick(atMs);
  expect(standstill.excuses(10, 41)).toBe(false);
  standstill.tick(140);
  expect(standstill.excuses(60, 141)).toBe(true);
  expect(standstill.excuses(120, 141)).toBe(false);
  expect(standstill.excuses(145, 240)).toBe(true);
});
