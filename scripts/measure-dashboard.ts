/**
 * What `backplane top` costs, as `npm run measure:dashboard` prints it: how long until the first
 * screen, and what it asks of the broker and of the processor from then on. `DOCUMENTS` (100000)
 * and `NODES` (50, in five processes) say how large the cluster is; the broker is the redis-server
 * of `REDIS_URL` (redis://127.0.0.1:6379).
 */
import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { createNode } from '../dist/index.js';
import { Pty } from '../test/support/pty.ts';

type Node = Awaited<ReturnType<typeof createNode>>;

const url = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379';
const prefix = 'dashboard-measure:';
const nodes = Number(process.env.NODES ?? 50);
const documents = Number(process.env.DOCUMENTS ?? 100_000);
const hosts = Math.min(5, nodes);
const atOnce = 50;
const watchedMs = 15_000;
const starts = 7;

if (process.argv[2] === 'host') await beHost(Number(process.argv[3]));
else await measure();

async function beHost(host: number): Promise<void> {
  const own = Array.from({ length: nodes }, (_, at) => at).filter((at) => at % hosts === host);
  const running: { readonly at: number; readonly node: Node }[] = [];
  for (const at of own) {
    running.push({ at, node: await createNode({ url, prefix, nodeId: `node-${at}` }) });
  }
  for (const { at, node } of running) {
    const docs = Array.from({ length: documents }, (_, doc) => doc).filter((d) => d % nodes === at);
    for (let from = 0; from < docs.length; from += atOnce) {
      await Promise.all(
        docs.slice(from, from + atOnce).map(async (doc) => {
          await node.submit(`doc-${String(doc).padStart(6, '0')}`, {
            peer: 'measure',
            counter: 1,
            payload: Buffer.from('{"n":1}'),
          });
        }),
      );
    }
  }
  process.on('message', async () => {
    await Promise.all(running.map(({ node }) => node.stop('crash')));
    process.disconnect();
  });
  process.on('disconnect', () => process.exit());
  process.send?.('ready');
}

async function measure(): Promise<void> {
  const children: ChildProcess[] = [];
  for (let host = 0; host < hosts; host += 1) {
    children.push(fork(fileURLToPath(import.meta.url), ['host', String(host)]));
  }
  await Promise.all(children.map((child) => once(child, 'message')));
  const say = (what: string, figure: string) => console.log(`${what.padEnd(52)} ${figure}`);
  say('nodes, documents owned', `${nodes}, ${documents.toLocaleString('en')}`);

  const shown: number[] = [];
  const spent: number[] = [];
  const bare: number[] = [];
  for (let start = 0; start < starts; start += 1) {
    bare.push(timeOf(() => execFileSync(process.execPath, ['-e', '0'])));
    const { pty, tookMs, cpuMs } = await firstScreen();
    shown.push(tookMs);
    spent.push(cpuMs);
    await pty.stop();
  }
  say('first screen with all nodes on it, median', `${median(shown).toFixed(0)} ms`);
  say('  best', `${Math.min(...shown).toFixed(0)} ms`);
  say('  processor time until then, median', `${median(spent).toFixed(0)} ms`);
  say('node -e 0 in the same minute, median', `${median(bare).toFixed(0)} ms`);

  const redis = new Redis(url);
  const idle = await commandsOver(redis);
  for (const [view, name] of [
    ['1', 'overview'],
    ['3', 'documents'],
    ['4', 'leases'],
  ] as const) {
    const { pty } = await firstScreen();
    pty.type(view);
    await pause(3_000);
    const from = cpuMsOf(pty.pid);
    const commands = await commandsOver(redis);
    const share = ((cpuMsOf(pty.pid) - from) / watchedMs) * 100;
    const more = commands - idle;
    say(`${name}: broker commands a second`, more.toFixed(0));
    say(`${name}: processor of the dashboard`, `${share.toFixed(1)} %`);
    await pty.stop();
  }
  redis.disconnect();
  for (const child of children) child.send('stop');
  await Promise.all(children.map((child) => once(child, 'exit')));
}

async function firstScreen(): Promise<{ pty: Pty; tookMs: number; cpuMs: number }> {
  const env = { BACKPLANE_URL: url, BACKPLANE_PREFIX: prefix };
  const startedMs = performance.now();
  const pty = new Pty(['top'], { columns: 120, rows: 40, env });
  await pty.until((screen) => screen.some((line) => line.includes(`${nodes} live`)));
  const tookMs = performance.now() - startedMs;
  return { pty, tookMs, cpuMs: cpuMsOf(pty.pid) };
}

/** User and system time of all threads, which a busy machine does not stretch. */
function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Commands a second that the broker carries out. */
async function commandsOver(redis: Redis): Promise<number> {
  const count = async () =>
    Number(/total_commands_processed:(\d+)/.exec(await redis.info('stats'))?.[1]);
  const from = await count();
  await pause(watchedMs);
  return ((await count()) - from) / (watchedMs / 1_000);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function timeOf(act: () => unknown): number {
  const startedMs = performance.now();
  act();
  return performance.now() - startedMs;
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? 0;
}
