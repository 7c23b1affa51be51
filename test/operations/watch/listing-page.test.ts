import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { SystemRandom } from '../../../src/drivers/system/system-random.ts';
import { carryOut } from '../../../src/operations/act/cluster-action.ts';
import { type ListingKind, readListingPage } from '../../../src/operations/watch/listing-page.ts';
import { silentLogger } from '../../../src/ports/logger.ts';
import type { ConnectionDoor } from '../../../src/runtime/presence/presence-door.ts';
import type { RelayDoor } from '../../../src/runtime/relay/relay-door.ts';
import type { Visitor } from '../../../src/runtime/visitor.ts';
import { openVisitor } from '../../../src/runtime/visitor-runtime.ts';
import { type NodeCluster, startNodeCluster } from '../../support/node-cluster.ts';
import { realClock } from '../../support/real-clock.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const door: ConnectionDoor = {
  message: () => {},
  invoke: async ({ payload }) => payload,
  kicked: (reason) => kicked.push(reason),
};
const kicked: string[] = [];
const relayDoor: RelayDoor = {
  deliver: (_, left) => left(),
  say() {},
  end() {},
  pause() {},
  resume() {},
};
let cluster: NodeCluster;
let visitor: Visitor;

beforeAll(async () => {
  cluster = await startNodeCluster('node-a');
  const { engine } = cluster;
  const world = { engine, clock: realClock, random: new SystemRandom(), logger: silentLogger };
  visitor = await openVisitor(world, { mayFence: false });
  const node = await cluster.node('node-b');
  for (let at = 0; at < 25; at++) node.presence.register({ user: `user-${at % 5}` }, door);
  await node.caches.create({ region: 'users' }).get('user:42', () => 'Ada');
});

afterAll(async () => {
  await visitor?.close();
  await cluster?.stop();
});

const sources = () => ({ ...cluster.engine, visitor, clock: realClock });
const read = (
  kind: ListingKind,
  told: { user?: string; from?: string; limit?: number; filter?: string } = {},
) => {
  const { user, from = null, limit = 10, filter = '' } = told;
  const selector = user === undefined ? {} : { user };
  return readListingPage(sources(), { kind, selector, filter, from, limit });
};

test('a listing comes in pages of the size asked for, with every row once', async () => {
  await vi.waitFor(async () => expect((await read('connections')).total).toBe(25));
  const ids: string[] = [];
  let from: string | undefined;
  for (const wanted of [10, 10, 5]) {
    const page = await read('connections', { ...(from !== undefined && { from }) });
    if (page.kind !== 'connections') throw new Error('another listing came');
    expect(page.rows).toHaveLength(wanted);
    ids.push(...page.rows.map(({ id }) => id));
    from = page.next ?? undefined;
  }
  expect(from).toBeUndefined();
  expect(ids).toEqual([...new Set(ids)].sort());
  expect(ids).toHaveLength(25);
});

test('users come by name, and their connections by user', async () => {
  expect(await read('users', { limit: 2 })).toMatchObject({
    ...{ total: 5, next: 'user-1' },
    rows: [{ user: 'user-0', connections: 5, nodes: ['node-b'] }, { user: 'user-1' }],
  });
  expect(await read('connections', { user: 'user-3' })).toMatchObject({ total: 5, next: null });
});

test('caches and workspaces come from every node', async () => {
  const rows = [{ region: 'users', nodeId: 'node-b', misses: 1 }];
  expect(await read('caches')).toMatchObject({ total: 1, rows, silent: [] });
  expect(await read('workspaces')).toMatchObject({ total: null, rows: [], silent: [] });
});

test('a filter finds what is on no page that was read, in whatever column it stands', async () => {
  await vi.waitFor(async () => expect((await read('connections')).total).toBe(25));
  expect(await read('connections', { filter: 'USER-3', limit: 2 })).toMatchObject({
    ...{ total: 5, rows: [{ user: 'user-3' }, { user: 'user-3' }] },
  });
  expect(await read('connections', { filter: '!user-3' })).toMatchObject({ total: 20 });
  expect(await read('users', { filter: 'er-4' })).toMatchObject({ total: 1, next: null });
  expect(await read('users', { filter: 'node-b' })).toMatchObject({ total: 5 });
  expect(await read('caches', { filter: 'nowhere' })).toMatchObject({ total: 0 });
  await expect(read('users', { filter: 'x'.repeat(257) })).rejects.toMatchObject({
    code: 'REQUEST_INVALID',
  });
});

test('workspaces come in pages of one page of each node, with every one once', async () => {
  const nodes = await Promise.all(['node-c', 'node-d'].map((nodeId) => cluster.node(nodeId)));
  const seats = nodes.flatMap((node, at) =>
    Array.from({ length: 12 }, (_, number) => {
      const workspace = `ws-${String(number * (at + 1)).padStart(2, '0')}`;
      return node.relay.browser({ workspace, stream: `s${number}`, mayRedirect: false }, relayDoor);
    }),
  );
  try {
    const names: string[] = [];
    let from: string | undefined;
    do {
      const page = await read('workspaces', { limit: 7, ...(from !== undefined && { from }) });
      if (page.kind !== 'workspaces') throw new Error('another listing came');
      expect(page.rows.length).toBeLessThanOrEqual(7);
      names.push(...page.rows.map(({ workspace }) => workspace));
      from = page.next ?? undefined;
    } while (from !== undefined);
    expect(names).toEqual([...new Set(names)].sort());
    expect(names).toHaveLength(18);
    const some = await read('workspaces', { filter: 'S-1', limit: 100 });
    expect(some.rows).toHaveLength(names.filter((name) => name.includes('s-1')).length);
    const both = await read('workspaces', { filter: 'ws-04' });
    expect(both.rows).toMatchObject([{ browsers: 2, browserNodes: ['node-c', 'node-d'] }]);
  } finally {
    for (const seat of seats) seat.leave();
  }
});

test('a connection on the screen can be closed', async () => {
  const page = await read('connections', { limit: 1 });
  const connection = page.kind === 'connections' ? (page.rows[0]?.id ?? '') : '';
  expect(await carryOut(sources(), { kind: 'kick', connection })).toBe(
    `node-b has closed ${connection}`,
  );
  expect(kicked).toEqual(['closed by an operator']);
});
