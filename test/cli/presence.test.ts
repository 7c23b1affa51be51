import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { BackplaneError } from '../../src/foundation/errors.ts';
import type { BackplaneNode } from '../../src/runtime/node.ts';
import type {
  ConnectionDoor,
  RegisteredConnection,
} from '../../src/runtime/presence/presence-door.ts';
import { type CommandLine, commandLine } from '../support/command-line.ts';
import { type NodeCluster, startNodeCluster } from '../support/node-cluster.ts';

// Every step starts a process, on a machine that may be busy.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let cluster: NodeCluster;
let cli: CommandLine;
let nodes: BackplaneNode[];
let ann: RegisteredConnection;
let bob: RegisteredConnection;
const heard: string[] = [];
const kicks: string[] = [];

const door: ConnectionDoor = {
  message: (payload) => void heard.push(Buffer.from(payload).toString()),
  invoke: async ({ method, payload }) => {
    if (method === 'echo') return payload;
    if (method === 'hang') return new Promise(() => {});
    throw new BackplaneError('HANDLER_FAILED', 'it is\u001b[2J broken');
  },
  kicked: (reason) => void kicks.push(reason),
};

beforeAll(async () => {
  cluster = await startNodeCluster();
  nodes = [await cluster.node('node-a'), await cluster.node('node-b')];
  cli = commandLine({ BACKPLANE_URL: cluster.url });
  const attributes = { device: 'phone' };
  ann = nodes[0]!.presence.register({ user: 'ann', groups: ['red'], attributes }, door);
  bob = nodes[1]!.presence.register({ user: 'b\u00f6b', groups: ['red'], hub: 'side' }, door);
});
afterAll(async () => {
  await cli?.stop();
  await cluster?.stop();
});

describe('inspect connections, users and groups', () => {
  test('list what is there, on whatever node', async () => {
    const all = await cli.run('inspect', 'connections', '--fresh', '-o', 'json');
    expect(all.code).toBe(0);
    const { connections } = all.json() as { connections: { id: string }[] };
    expect(connections.map(({ id }) => id).sort()).toEqual([ann.id, bob.id].sort());
    const table = await cli.run('inspect', 'connections', '--attribute', 'device=ph*');
    expect(table.stdout).toMatch(/^CONNECTION +USER +HUB +NODE +GROUPS +SINCE/);
    expect(table.stdout).toContain(ann.id);
    expect(table.stdout).not.toContain(bob.id);
    const users = await cli.run('inspect', 'users', '-o', 'jsonl');
    expect(users.lines()).toEqual([
      { user: 'ann', connections: 1, hubs: ['main'], nodes: ['node-a'] },
      { user: 'böb', connections: 1, hubs: ['side'], nodes: ['node-b'] },
    ]);
    const groups = await cli.run('inspect', 'groups', '-o', 'jsonl');
    expect(groups.lines()).toEqual([
      {
        group: 'red',
        connections: 2,
        users: 2,
        hubs: ['main', 'side'],
        nodes: ['node-a', 'node-b'],
      },
    ]);
  });

  test('nobody there is an empty listing', async () => {
    const { code, stdout, stderr } = await cli.run('inspect', 'users', '--user', 'eve');
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: 'no users\n' });
  });
});

describe('inspect presence', () => {
  test('says that all agree, and who does not', async () => {
    await cli.run('inspect', 'connections', '--fresh');
    const agree = await cli.run('inspect', 'presence', '--diff');
    expect({ code: agree.code, stderr: agree.stderr }).toEqual({ code: 0, stderr: 'all agree\n' });
    const listed = await cli.run('inspect', 'presence', '--hub', 'main', '-o', 'jsonl');
    expect(listed.lines()).toContainEqual(
      expect.objectContaining({ nodeId: 'node-a', seenBy: 'broker', held: 1, agrees: true }),
    );
    // What no node knows of.
    const session = nodes[1]!.session() ?? '';
    await cluster.redis.cli('HSET', `backplane:{s}:reg:${session}:side`, 'c-ghost', '{}');
    const record = { user: null, since: '2026-01-01T00:00:00.000Z', nodeId: 'node-b' };
    const ghost = JSON.stringify(record);
    await cluster.redis.cli('HSET', `backplane:{s}:reg:${session}:side`, 'c-ghost', ghost);
    const differ = await cli.run('inspect', 'presence', '--diff', '-o', 'json');
    expect(differ.code).toBe(9);
    expect(differ.json().views).toEqual([
      expect.objectContaining({ hub: 'side', seenBy: 'broker', held: 1, connections: 2 }),
    ]);
    await cluster.redis.cli('HDEL', `backplane:{s}:reg:${session}:side`, 'c-ghost');
  });
});

describe('send', () => {
  test('hands a message to whoever matches', async () => {
    heard.length = 0;
    const group = await cli.run('send', 'group:red', '{"a":1}');
    expect(group).toMatchObject({
      code: 0,
      stdout: 'delivered to 2 connections on node-a, node-b\n',
    });
    expect(heard).toEqual(['{"a":1}', '{"a":1}']);
    const one = await cli.run('send', `conn:${ann.id}`, '1', '-o', 'json');
    expect(one.json()).toMatchObject({ schemaVersion: 1, delivered: 1, nodes: ['node-a'] });
    const hub = await cli.run('send', 'all', '1', '--hub', 'side', '-o', 'json');
    expect(hub.json()).toMatchObject({ delivered: 1, nodes: ['node-b'] });
  });

  test('nobody there exits with 4', async () => {
    for (const target of ['user:eve', 'group:none', 'conn:c-none', 'hub:none', 'attr:a=*']) {
      const { code, stderr } = await cli.run('send', target, '1');
      expect(code, target).toBe(4);
      expect(stderr).toMatch(/BP-(USER|GROUP|CONNECTION)-UNKNOWN/);
    }
  });

  test('nonsense exits with 2', async () => {
    for (const args of [['nobody', '1'], ['attr:x', '1'], ['user:', '1'], ['all']]) {
      expect((await cli.run('send', ...args)).code, args.join(' ')).toBe(2);
    }
    expect((await cli.run('send', 'hub:a', '1', '--hub', 'b')).code).toBe(2);
  });
});

describe('invoke', () => {
  test('shows the first answer, or with --all every one', async () => {
    const first = await cli.run('invoke', 'user:ann', 'echo', '{"x":[1]}', '-o', 'json');
    expect(first.code).toBe(0);
    expect(first.json().answers).toMatchObject([
      { connection: ann.id, nodeId: 'node-a', status: 'ok', payload: { x: [1] } },
    ]);
    const all = await cli.run('invoke', 'group:red', 'echo', '7', '--all');
    expect(all.code).toBe(0);
    expect(all.stdout.trim().split('\n')).toHaveLength(2);
  });

  test('a client that fails exits with 7, and cannot write on the terminal', async () => {
    const { code, stdout } = await cli.run('invoke', 'group:red', 'boom', '--all');
    expect(code).toBe(7);
    expect(stdout).toContain('it is\\e[2J broken');
    expect((await cli.run('invoke', 'user:ann', 'boom')).code).toBe(7);
  });

  test('a client that does not answer exits with 5, by the deadline', async () => {
    const { code, stderr } = await cli.run('invoke', 'user:ann', 'hang', '--timeout', '1s');
    expect(code).toBe(5);
    expect(stderr).toContain('BP-DEADLINE-EXCEEDED');
  });
});

describe('conn', () => {
  test('join and leave change the groups of a connection, and say what they are', async () => {
    const joined = await cli.run('conn', 'join', ann.id, 'blue', 'green');
    expect(joined).toMatchObject({
      code: 0,
      stdout: `${ann.id} of ann on node-a is in blue, green, red\n`,
    });
    const left = await cli.run('conn', 'leave', ann.id, 'blue', 'green', '-o', 'json');
    expect(left.json()).toMatchObject({ id: ann.id, groups: ['red'], kicked: false });
    expect(ann.read().groups).toEqual(['red']);
    expect((await cli.run('conn', 'join', 'c-none', 'red')).code).toBe(4);
  });

  test('kick closes a connection with its reason', async () => {
    const extra = nodes[1]!.presence.register({ user: 'eve' }, door);
    const { code } = await cli.run('conn', 'kick', extra.id, '--reason', 'too loud');
    expect(code).toBe(0);
    expect(kicks).toEqual(['too loud']);
    expect((await cli.run('conn', 'kick', extra.id)).code).toBe(4);
  });
});

describe('inspect awareness', () => {
  test('lists the state of each peer, with its node', async () => {
    nodes[1]!.setAwareness('doc-1', 'peer-1', Buffer.from('{"cursor":3}'));
    nodes[0]!.setAwareness('doc-2', 'peer-2', Buffer.from('"x"'));
    const all = await cli.run('inspect', 'awareness', '-o', 'json');
    expect(all.json().awareness).toMatchObject([
      { doc: 'doc-1', peer: 'peer-1', nodeId: 'node-b', payload: { cursor: 3 } },
      { doc: 'doc-2', peer: 'peer-2', nodeId: 'node-a', payload: 'x' },
    ]);
    const { stdout } = await cli.run('inspect', 'awareness', 'doc-1');
    expect(stdout).toContain('{"cursor":3}');
    expect(stdout).not.toContain('doc-2');
  });
});
