import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../../src/drivers/system/system-clock.ts';
import { budgetDefaults } from '../../../src/verification/budgets.ts';
import { recordLogs } from '../../../src/verification/drills/final-reading.ts';
import {
  HistoryRecorder,
  type Recordable,
} from '../../../src/verification/drills/history-recorder.ts';
import type { WorkloadPlan } from '../../../src/verification/drills/scenario.ts';
import { Workload } from '../../../src/verification/drills/workload/workload.ts';
import { type HistoryReport, judgeHistory } from '../../../src/verification/judge-history.ts';
import { LiveJudge } from '../../../src/verification/live-judge.ts';
import { SeededRandom } from '../../../src/verification/seeded-random.ts';
import { until } from '../judge.ts';
import { ServedCluster } from '../served-cluster.ts';

const clock = new SystemClock();
const plan: WorkloadPlan = {
  ...{ documents: 5, peers: 4, followers: 3, payloadBytes: 64, ownedBy: null },
  ...{ opsPerSecond: 300, awarenessPerSecond: 40, requestsPerSecond: 20, requestTimeoutMs: 5_000 },
};
const budgets = { ...budgetDefaults, awarenessMs: 500 };
/** What a load and a reading of the logs must be enough to judge. */
const judged = [
  ...['acked-is-kept', 'applied-once', 'seq-without-gap', 'one-order'],
  ...['requests-end', 'awareness-converges'],
];

let cluster: ServedCluster;
let folder: string;
let run = 0;

beforeAll(async () => {
  cluster = await ServedCluster.start(2, ['--heartbeat', '500ms', '--node-timeout', '2s']);
}, 60_000);

afterAll(() => cluster.stop());

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'backplane-workload-'));
});

afterEach(() => rm(folder, { recursive: true }));

async function rehearse(changed: Partial<WorkloadPlan> = {}) {
  run += 1;
  const events: Recordable[] = [];
  const live = new LiveJudge(budgets);
  const recorder = await HistoryRecorder.open({
    ...{ path: join(folder, 'history.jsonl'), clock },
    witness: (event, atMs) => {
      events.push(event);
      live.observe(event, atMs);
    },
  });
  const planned = { ...plan, ...changed };
  const docNames = Array.from({ length: planned.documents }, (_, at) => `w${run}-${at}`);
  const workload = new Workload({
    ...{ plan: planned, docNames, recorder, clock, random: new SeededRandom(7), token: null },
    urls: cluster.addresses,
  });
  /** Ends the load as a drill does, and judges what there was. */
  const conclude = async (): Promise<HistoryReport> => {
    await workload.stop();
    const store = (await cluster.engine()).openStore();
    const heads = new Map<string, number>();
    for (const doc of docNames) heads.set(doc, (await store.head(doc))?.seq ?? 0);
    expect(await workload.settle(heads, 20_000), 'followers that lag').toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, budgets.awarenessMs + 100));
    workload.recordViews();
    await recordLogs(store, docNames, recorder);
    await workload.close();
    const { path } = await recorder.close();
    return judgeHistory({ name: path, pieces: createReadStream(path) }, { budgets });
  };
  return { workload, docNames, events, live, conclude };
}

function outcomes({ laws }: HistoryReport) {
  const broken = laws.filter(({ outcome }) => outcome === 'violated');
  expect(broken, 'laws that are violated').toEqual([]);
  return laws.filter(({ outcome }) => outcome === 'holds').map(({ law }) => law);
}

describe('a load', () => {
  it('says enough to judge every law of ops, requests and awareness', async () => {
    const { workload, events, live, conclude } = await rehearse();
    const opened: number[] = [];
    await workload.open({ progress: (count) => opened.push(count) });
    expect(opened.at(-1)).toBe(15);
    workload.start();
    await until('a second of load', () => workload.tally().acknowledged > 400);
    const during = workload.tally();
    expect(during.opsPerSecond).toBeGreaterThan(0);
    expect(during.p99Ms).toBeGreaterThan(0);
    expect(during.connections).toEqual({ up: 4, all: 4 });
    const report = await conclude();
    expect(outcomes(report)).toEqual(expect.arrayContaining(judged));
    expect(live.violations()).toEqual([]);
    const after = workload.tally();
    expect(after).toMatchObject({ unknown: 0, underWay: 0, skipped: 0, failed: 0 });
    expect(after.acknowledged).toBe(after.sent);
    // The first op of each document gave it its owner, before anybody followed it.
    expect(after.deliveries).toBe(3 * (after.sent - plan.documents));
    expect(after.requests.answered).toBe(after.requests.sent);
    const invoked = events.findIndex(({ ev }) => ev === 'op.invoke');
    const answered = events.findIndex(({ ev }) => ev === 'op.ok');
    expect(invoked).toBeLessThan(answered);
  }, 60_000);

  it('goes on when the owner is killed, and still says what it was told', async () => {
    const { workload, docNames, conclude } = await rehearse();
    await workload.open();
    workload.start();
    await until('some load', () => workload.tally().acknowledged > 100);
    const { nodeId } = await cluster.ownerOf(docNames[0] as string);
    cluster.node(nodeId).kill('SIGKILL');
    await cluster.node(nodeId).ended;
    const atKill = workload.tally().acknowledged;
    await until('load without that node', () => workload.tally().acknowledged > atKill + 300);
    await cluster.startNode(nodeId);
    const report = await conclude();
    expect(outcomes(report)).toEqual(expect.arrayContaining(judged));
    const { sent, acknowledged } = workload.tally();
    expect(acknowledged).toBe(sent);
  }, 60_000);

  it('goes on at its pace while nobody answers, and gives up requests in time', async () => {
    const { workload, docNames, conclude } = await rehearse({ requestTimeoutMs: 300 });
    await workload.open();
    workload.start();
    await until('some load', () => workload.tally().acknowledged > 100);
    const { nodeId } = await cluster.ownerOf(docNames[0] as string);
    const node = cluster.node(nodeId);
    node.kill('SIGSTOP');
    const { sent, requests } = workload.tally();
    await until('load that waits', () => workload.tally().sent > sent + 200);
    expect(workload.tally().underWay).toBeGreaterThan(50);
    await until('a request that ended', () => workload.tally().requests.failed > requests.failed);
    node.kill('SIGCONT');
    const report = await conclude();
    expect(outcomes(report)).toEqual(expect.arrayContaining(judged));
  }, 60_000);

  it('gives every document to the node that runs alone, and then meets them all', async () => {
    await stopNode('node-2');
    const { workload, docNames, conclude } = await rehearse();
    await workload.claim();
    await cluster.startNode('node-2');
    await workload.open();
    const owners = await Promise.all(docNames.map((doc) => cluster.ownerOf(doc)));
    expect(owners.map(({ nodeId }) => nodeId)).toEqual(docNames.map(() => 'node-1'));
    const metrics = await (await fetch(`${cluster.addresses[1]}/metrics`)).text();
    expect(metrics).toMatch(/^backplane_connections\S* 2$/m);
    const report = await conclude();
    expect(report.acknowledged).toBe(plan.documents);
  }, 60_000);

  it('has guests come and go, each as a peer of its own, and leave nothing in any view', async () => {
    const { workload, events, conclude } = await rehearse({ guests: 3, opsPerSecond: 20 });
    await workload.open();
    const followers = new Set<string>();
    workload.start();
    const sets = () => events.filter((event) => event.ev === 'awareness.set');
    const left = () => sets().filter(({ state }) => state === null);
    await until('guests that left', () => left().length >= 9);
    const report = await conclude();
    expect(outcomes(report)).toContain('awareness-converges');
    const guests = left().map(({ peer }) => peer);
    expect(new Set(guests).size).toBe(guests.length);
    for (const event of events) {
      if (event.ev !== 'awareness.view') continue;
      for (const peer of Object.keys(event.states)) followers.add(peer);
    }
    expect(guests.filter((peer) => followers.has(peer))).toEqual([]);
  }, 60_000);

  it('opens no further when it is told to end, and leaves no connection', async () => {
    const { workload } = await rehearse();
    const ending = new AbortController();
    const progress = () => ending.abort();
    await workload.open({ signal: ending.signal, progress });
    workload.start();
    await workload.close();
    await workload.close();
    expect(workload.tally()).toMatchObject({ sent: plan.documents, acknowledged: plan.documents });
    expect(workload.tally().connections).toEqual({ up: 0, all: plan.peers });
  });
});

async function stopNode(nodeId: string): Promise<void> {
  cluster.node(nodeId).kill('SIGTERM');
  await cluster.node(nodeId).ended;
}
