import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DrillNode } from '../../../src/verification/drills/drill-cluster.ts';
import type { NodeProcess } from '../../../src/verification/drills/nodes/node-process.ts';
import { readProcess } from '../../../src/verification/drills/nodes/read-process.ts';
import { type RedisServer, startRedisServer } from '../../support/redis-server.ts';
import { type DrilledNode, drilledNode, toldBy } from './support/drill-nodes.ts';

let redis: RedisServer;
const nodes: DrillNode[] = [];

beforeAll(async () => {
  redis = await startRedisServer();
});

afterAll(async () => {
  await Promise.all(nodes.map((node) => node.kill()));
  await redis?.stop();
});

async function make(...changes: Parameters<typeof drilledNode>[1][]): Promise<DrilledNode> {
  const made = await drilledNode(redis, ...changes);
  nodes.push(made.node);
  return made;
}

const isReady = async (node: NodeProcess) =>
  (await fetch(`${node.address}/health/ready`)).status === 200;

describe('a node of a drill', () => {
  it('starts, tells of itself, and is found at the same address after a restart', async () => {
    const { node, events, watched } = await make();
    expect(node.pid).toBeNull();
    await node.start();
    const first = { pid: node.pid, session: node.session };
    expect(await isReady(node)).toBe(true);
    expect([...watched]).toEqual([first.pid]);

    await node.kill();
    expect(node.pid).toBeNull();
    expect(readProcess(first.pid as number)).toBeNull();
    expect(watched.size).toBe(0);
    await node.start();
    expect(await isReady(node)).toBe(true);
    expect(node.session).not.toBe(first.session);

    expect(await node.terminate(20_000)).toBe(0);
    const lives = events.filter(({ kind }) => kind !== 'line');
    const nodeId = 'node-1';
    expect(lives).toEqual([
      { kind: 'up', nodeId },
      { kind: 'down', nodeId, end: 'SIGKILL', asked: true },
      { kind: 'up', nodeId },
      { kind: 'down', nodeId, end: 0, asked: true },
    ]);
    const types = events.flatMap((event) => (event.kind === 'line' ? [event.line.type] : []));
    expect(types.filter((type) => type === 'ready')).toHaveLength(2);
    expect(types.at(-1)).toBe('stopped');
  });

  it('tells when its process ends though nobody asked for it', async () => {
    const { node, events } = await make({ nodeId: 'node-lost' });
    await node.start();
    process.kill(node.pid as number, 'SIGKILL');
    const down = { kind: 'down', nodeId: 'node-lost', end: 'SIGKILL', asked: false };
    await expect.poll(() => events.at(-1)).toEqual(down);
    expect(node.pid).toBeNull();
    await expect(node.agent.wallMs()).rejects.toMatchObject({ code: 'INCONCLUSIVE' });
  });

  it('knows the session it took after its first one was lost', async () => {
    const dials = { heartbeat: '200ms', 'node-timeout': '2s', 'lease-ttl': '4s' };
    const { node } = await make({ nodeId: 'node-fenced', serve: dials });
    await node.start();
    const first = node.session;
    const keys = await redis.cli('keys', `*sess:${first}`);
    await redis.cli('del', ...keys.split('\n'));
    await expect.poll(() => node.session).not.toBe(first);
    await expect.poll(() => isReady(node)).toBe(true);
  });

  it('says why it did not start, and leaves no process', async () => {
    const { node, watched } = await make({ serve: { heartbeat: 'often' } });
    const error = await node.start().catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'INCONCLUSIVE', facts: { nodeId: 'node-1', end: 2 } });
    expect(error.message).toContain('heartbeat');
    expect(node.pid).toBeNull();
    expect(watched.size).toBe(0);
  });

  it('is given what developers load into Node.js, and none of the settings of the user', async () => {
    const hook = `data:text/javascript,${encodeURIComponent('process.stderr.write("hooked")')}`;
    const { node } = await make({
      nodeId: 'node-env',
      environment: {
        ...process.env,
        NODE_OPTIONS: `--import=${hook}`,
        BACKPLANE_URL: 'redis://127.0.0.1:1',
        BACKPLANE_PREFIX: 'other:',
      },
    });
    await node.start();
    await expect.poll(() => node.complaints()).toContain('hooked');
    if (process.platform !== 'linux') return;
    const environment = readFileSync(`/proc/${node.pid}/environ`, 'utf8');
    expect(environment).toContain('NO_COLOR=1');
    expect(environment).not.toContain('BACKPLANE_');
  });

  it('ends a node that does not stop in time, even one that is paused', async () => {
    const { node } = await make({ nodeId: 'node-stuck' });
    await node.start();
    node.signal('SIGSTOP');
    expect(await node.terminate(200)).toBe('SIGKILL');
    expect(node.pid).toBeNull();
  });
});

describe('the agent in a node', () => {
  let drilled: DrilledNode;

  beforeAll(async () => {
    drilled = await make({ nodeId: 'node-agent' });
    await drilled.node.start();
  });

  it('blocks the event loop until it is released', async () => {
    const { node } = drilled;
    const loop = await node.agent.blockEventLoop();
    let answered = false;
    const health = isReady(node).then((ready) => {
      answered = true;
      return ready;
    });
    // The kernel takes the connection; nobody in the process hears of it.
    await connected(new URL(node.address).port);
    await waitMs(300);
    expect(answered).toBe(false);
    await loop.release();
    await loop.release();
    expect(await health).toBe(true);
  });

  it('steps the wall clock that the node itself goes by, and back', async () => {
    const { node, events } = drilled;
    const hourMs = 3_600_000;
    const aheadMs = async () => Math.round((await node.agent.wallMs()) - Date.now());
    expect(Math.abs(await aheadMs())).toBeLessThan(2_000);
    await node.agent.stepWallClock(-hourMs);
    expect(Math.abs((await aheadMs()) + hourMs)).toBeLessThan(2_000);

    const before = toldBy(events).length;
    await redis.cli('client', 'kill', 'type', 'normal');
    const disconnected = () =>
      toldBy(events)
        .slice(before)
        .find(({ name }) => name === 'redis.disconnected');
    await expect.poll(disconnected).toBeDefined();
    const at = Date.parse(disconnected()?.at as string);
    expect(Math.abs(at + hourMs - Date.now())).toBeLessThan(10_000);

    await node.agent.stepWallClock(hourMs);
    expect(Math.abs(await aheadMs())).toBeLessThan(2_000);
  });

  it('lets the node end as it would without it', async () => {
    expect(await drilled.node.terminate(20_000)).toBe(0);
  });
});

async function connected(port: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect(Number(port), '127.0.0.1', resolve).once('error', reject);
  await promise;
  socket.destroy();
}

/** Long enough for an answer that must not come. */
async function waitMs(ms: number): Promise<void> {
  const sinceMs = performance.now();
  await expect.poll(() => performance.now() - sinceMs > ms).toBe(true);
}
