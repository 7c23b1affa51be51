// Starts a small cluster with a real Redis, puts a load on it, lets a node die, and writes what
// `backplane top` shows of it to docs/dashboard.svg, for the README.
import { mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import type { BackplaneNode } from '../src/runtime/node.ts';
import { startNodeCluster } from '../test/support/node-cluster.ts';
import { Pty } from '../test/support/pty.ts';
import { terminalPicture } from './terminal-picture.ts';

const documents = ['orders', 'plan-2026', 'board-3', 'chat-lobby', 'notes', 'cart-17', 'cart-18'];
const watchedMs = 25_000;

const cluster = await startNodeCluster();
const nodes: BackplaneNode[] = [];
for (const name of ['web-1', 'web-2', 'web-3', 'api-1']) nodes.push(await cluster.node(name));
const [first] = nodes;
let ticks = 0;
let isShort = false;
const load = setInterval(() => {
  ticks += 1;
  const wave = Math.round(4 + 3 * Math.sin(ticks / 12));
  for (let n = 0; n < wave; n += 1) {
    const at = (ticks + n * n) % documents.length;
    const doc = documents[at] as string;
    // Each document through another node, which becomes its owner; the dead one is gone by then.
    const node = isShort && at % 4 === 3 ? first : nodes[at % 4];
    const op = {
      peer: `peer-${ticks}-${n}`,
      counter: 1,
      payload: Buffer.from('{"title":"hello"}'),
    };
    node?.submit(doc, op).catch(() => {});
    first?.setAwareness(doc, `peer-${n}`, Buffer.from(`{"cursor":${ticks}}`));
  }
}, 50);
for (const [at, node] of nodes.entries()) node.countConnections(12 + at * 7);

const pty = new Pty(['top', '--interval', '250ms'], {
  columns: 104,
  rows: 24,
  env: { BACKPLANE_URL: cluster.url, COLORTERM: '' },
});
await pty.until((screen) => /live \d\d:/.test(screen[0] ?? ''));
await wait(watchedMs * 0.6);
isShort = true;
await nodes[3]?.stop('crash');
await wait(watchedMs * 0.4);
await pty.until((screen) => screen.some((line) => line.includes('dead')));
mkdirSync('docs', { recursive: true });
// The address of this run's Redis says nothing to a reader.
writeFileSync(
  'docs/dashboard.svg',
  terminalPicture(pty.cells(), 'backplane top').replace(/127\.0\.0\.1:\d{5}/, '127.0.0.1:6379 '),
);
process.stdout.write(`${pty.screen().join('\n')}\n`);
await pty.stop();
clearInterval(load);
await cluster.stop();
