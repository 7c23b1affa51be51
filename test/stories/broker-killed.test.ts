import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ServedNode } from '../support/serve-node.ts';
import { until } from '../verification/judge.ts';
import { ReadinessWatch } from './support/readiness-watch.ts';
import { type Installed, installations, StoryMachine } from './support/story-machine.ts';
import { StoryPeers } from './support/story-peers.ts';

let machine: StoryMachine;
let nodes: ServedNode[];
let peers: StoryPeers | null;

afterEach(async () => {
  await peers?.close();
  await machine.close();
});

/** Two nodes, the first of which started the broker, and a peer at each that never stops. */
async function start(installed: Installed): Promise<void> {
  machine = await StoryMachine.of(installed);
  peers = null;
  const one = await machine.serve('--node-id', 'one');
  const two = await machine.serve('--node-id', 'two');
  nodes = [one, two];
  peers = await StoryPeers.join('doc-123', [one.address, two.address]);
}

async function allLive(...survivors: ServedNode[]): Promise<void> {
  const expected = survivors.map(({ pid }) => pid).sort();
  await expect
    .poll(async () => (await machine.liveNodes()).map(({ pid }) => pid).sort(), { timeout: 20_000 })
    .toEqual(expected);
}

describe.each(installations)('a broker with %s installed', (installed) => {
  beforeEach(() => start(installed));

  test('outlives the node that started it', async () => {
    const [starter, survivor] = nodes as [ServedNode, ServedNode];
    const { pid, runId } = machine.card();
    starter.kill('SIGKILL');
    await starter.ended;
    await peers?.moreOps();
    expect(machine.card()).toMatchObject({ pid, runId });
    const third = await machine.serve('--node-id', 'three');
    const live = (await machine.liveNodes()).map((node) => node.pid);
    expect(live).toEqual(expect.arrayContaining([survivor.pid, third.pid]));
    await peers?.judge(machine);
  }, 60_000);
});

describe('a broker on an installed server', () => {
  beforeEach(() => start('redis-server'));

  test('goes on undisturbed when its supervisor is killed, and gets another', async () => {
    const watch = new ReadinessWatch((nodes[0] as ServedNode).address);
    const { pid, runId } = machine.card();
    const server = machine.serverPid();
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => machine.card().pid, { timeout: 20_000 }).not.toBe(pid);
    await peers?.moreOps();
    await watch.stop();
    expect(machine.card().runId).toBe(runId);
    expect(machine.serverPid()).toBe(server);
    expect(watch.statuses).toEqual([200]);
    const restored = () =>
      nodes.flatMap(({ lines }) => lines.filter(({ name }) => name === 'broker.restored'));
    await until('who replaced it to say so', () => restored().length > 0);
    for (const { facts } of restored()) expect(facts).toMatchObject({ pid: machine.card().pid });
    await allLive(...nodes);
    await peers?.judge(machine);
  }, 60_000);

  test('is back on its port when its server is killed', async () => {
    const { pid } = machine.card();
    await untilBack('short', () => process.kill(machine.serverPid(), 'SIGKILL'));
    expect(machine.card().pid).toBe(pid);
    await allLive(...nodes);
    await peers?.judge(machine);
  }, 60_000);

  test('is back when server and supervisor are killed at once, and nodes say so in between', async () => {
    const { pid } = machine.card();
    await untilBack('long', () => {
      process.kill(pid, 'SIGKILL');
      process.kill(machine.serverPid(), 'SIGKILL');
    });
    expect(machine.card().pid).not.toBe(pid);
    await allLive(...nodes);
    await peers?.judge(machine);
  }, 60_000);
});

describe('a broker in WebAssembly', () => {
  beforeEach(() => start('nothing'));

  test('is back on its port, empty, and every node with it', async () => {
    const { pid } = machine.card();
    for (let round = 0; round < 2; round++) {
      await untilBack('long', () => process.kill(machine.card().pid, 'SIGKILL'));
      await allLive(...nodes);
    }
    expect(machine.card().pid).not.toBe(pid);
    await peers?.judge(machine);
  }, 60_000);
});

/**
 * Until the fault is mended. In an outage that is longer than a reconnection every node says that
 * it is not ready; a shorter one it may ride out with an answer that is late.
 */
async function untilBack(outage: 'short' | 'long', fault: () => void): Promise<void> {
  const watches = nodes.map(({ address }) => new ReadinessWatch(address));
  const { runId } = machine.card();
  const seen = () => JSON.stringify(watches.map((watch) => watch.seen));
  const areReady = () => watches.every(({ statuses }) => statuses.at(-1) === 200);
  await until('ready nodes', areReady);
  fault();
  if (outage === 'long') {
    const wereUnready = () => watches.every(({ statuses }) => statuses.includes(503));
    await until(() => `each node to be unready: ${seen()}`, wereUnready, 10_000);
  }
  await until('another run of the broker', () => machine.card().runId !== runId);
  await until(() => `ready nodes: ${seen()}`, areReady);
  await peers?.moreOps();
  for (const watch of watches) {
    await watch.stop();
    for (const { status, failing } of watch.seen) {
      // The broker, or what followed from its absence; never the store.
      if (status === 503) expect(failing.join()).toMatch(/^(broker|subscriber|session|,)+$/);
    }
  }
}
