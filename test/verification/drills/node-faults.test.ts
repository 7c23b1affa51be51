import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ActiveFault, FaultKind } from '../../../src/verification/drills/fault.ts';
import { clockStepFault } from '../../../src/verification/drills/faults/clock-faults.ts';
import { duplicateNodeIdFault } from '../../../src/verification/drills/faults/identity-faults.ts';
import {
  blockFault,
  killFault,
  pauseFault,
  terminateFault,
} from '../../../src/verification/drills/faults/process-faults.ts';
import type { NodeProcess } from '../../../src/verification/drills/nodes/node-process.ts';
import { readProcess } from '../../../src/verification/drills/nodes/read-process.ts';
import { type RedisServer, startRedisServer } from '../../support/redis-server.ts';
import { type DrilledNode, drilledNode, siteOf, toldBy } from './support/drill-nodes.ts';

let redis: RedisServer;
let drilled: DrilledNode;
let node: NodeProcess;

beforeAll(async () => {
  redis = await startRedisServer();
  drilled = await drilledNode(redis);
  node = drilled.node;
  await node.start();
});

afterAll(async () => {
  await node?.kill();
  await redis?.stop();
});

/** As the runner does it: the parameters are checked by the fault's own rules. */
function inject(kind: FaultKind, parameters: object = {}): Promise<ActiveFault> {
  expect(kind.unfit(siteOf(node).cluster)).toBeNull();
  return kind.inject(siteOf(node), v.parse(kind.parameters, parameters));
}

async function isReady(): Promise<boolean> {
  return (await fetch(`${node.address}/health/ready`)).status === 200;
}

describe('kill', () => {
  it('ends the process and starts another, once', async () => {
    const pid = node.pid as number;
    const fault = await inject(killFault);
    expect(node.pid).toBeNull();
    expect(await fault.evidence()).toContain(String(pid));
    await expect(inject(killFault)).rejects.toMatchObject({ code: 'INCONCLUSIVE' });
    await fault.revert();
    const next = node.pid;
    expect(next).not.toBeNull();
    await fault.revert();
    expect([node.pid, await isReady()]).toEqual([next, true]);
  });
});

describe('terminate', () => {
  it('lets the node end by itself and starts it again', async () => {
    const fault = await inject(terminateFault);
    expect(node.pid).toBeNull();
    expect(drilled.events.at(-1)).toMatchObject({ kind: 'down', end: 0, asked: true });
    expect(await fault.evidence()).toContain('ended with 0');
    await fault.revert();
    expect(await isReady()).toBe(true);
  });
});

describe('pause', () => {
  it('stops the process until it is reverted', async () => {
    const pid = node.pid as number;
    const fault = await inject(pauseFault);
    expect(readProcess(pid)?.state).toMatch(/^T/);
    expect(await fault.evidence()).toContain(`process ${pid} stood still`);
    await fault.revert();
    expect(readProcess(pid)?.state).not.toMatch(/^T/);
    await fault.revert();
    expect([node.pid, await isReady()]).toEqual([pid, true]);
  });

  it('has no evidence when somebody resumed the process', async () => {
    const fault = await inject(pauseFault);
    node.signal('SIGCONT');
    await expect.poll(() => readProcess(node.pid as number)?.state).not.toMatch(/^T/);
    expect(await fault.evidence()).toBeNull();
    await fault.revert();
  });

  it('leaves alone what was started after it', async () => {
    const fault = await inject(pauseFault);
    await node.kill();
    expect(await fault.evidence()).toBeNull();
    await node.start();
    await fault.revert();
    expect(await isReady()).toBe(true);
  });
});

describe('block', () => {
  it('keeps the event loop busy until it is reverted', async () => {
    const fault = await inject(blockFault);
    const health = isReady();
    expect(await fault.evidence()).toContain(`the event loop of process ${node.pid} did nothing`);
    await fault.revert();
    await fault.revert();
    expect(await health).toBe(true);
  });

  it('has no evidence when the process is not the one that was blocked', async () => {
    const fault = await inject(blockFault);
    await node.kill();
    await node.start();
    expect(await fault.evidence()).toBeNull();
    await fault.revert();
  });
});

describe('clock-step', () => {
  const aheadMs = async () => (await node.agent.wallMs()) - Date.now();

  it.each([
    ['-30s', -30_000],
    ['1h', 3_600_000],
    ['+5m', 300_000],
  ])('steps the clock of the process by %s and back', async (by, byMs) => {
    const fault = await inject(clockStepFault, { by });
    expect(Math.abs((await aheadMs()) - byMs)).toBeLessThan(1_500);
    expect(await fault.evidence()).toContain(byMs > 0 ? 'ahead' : 'behind');
    await fault.revert();
    await fault.revert();
    expect(Math.abs(await aheadMs())).toBeLessThan(1_500);
    expect(await fault.evidence()).toBeNull();
  });

  it('does not step back the clock of a process that was never stepped', async () => {
    const fault = await inject(clockStepFault);
    await node.kill();
    await node.start();
    expect(await fault.evidence()).toBeNull();
    await fault.revert();
    expect(Math.abs(await aheadMs())).toBeLessThan(1_500);
  });

  it.each([['soon'], ['30'], ['--3s'], ['1s'], ['0s'], [30]])('refuses to step by %j', (by) => {
    const { issues } = v.safeParse(clockStepFault.parameters, { by });
    expect(issues?.map(({ message }) => message).join()).toMatch(/duration|must be more than/);
  });

  it('knows no other parameter', () => {
    expect(v.safeParse(clockStepFault.parameters, { to: '1h' }).success).toBe(false);
  });
});

describe('duplicate-node-id', () => {
  it('runs a second process of the same name, and stops only that', async () => {
    const [pid, session] = [node.pid, node.session];
    const before = drilled.events.length;
    const fault = await inject(duplicateNodeIdFault);
    const evidence = await fault.evidence();
    expect(evidence).toContain(`beside ${session}`);
    const warned = () =>
      toldBy(drilled.events.slice(before)).find(({ name }) => name === 'node.namesake');
    await expect.poll(() => warned()?.facts).toMatchObject({ pid, session });
    const twin = Number(/process (\d+)/.exec(evidence as string)?.[1]);
    expect(drilled.watched).toEqual(new Set([pid, twin]));

    await fault.revert();
    await fault.revert();
    expect(readProcess(twin)).toBeNull();
    expect([node.pid, node.session, await isReady()]).toEqual([pid, session, true]);
    const lives = drilled.events.slice(before).filter(({ kind }) => kind !== 'line');
    expect(lives, 'the twin is not the node').toEqual([]);
  });
});
