import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { type ServedNode, serveNode } from '../support/serve-node.ts';
import { projectRoot } from '../support/source-files.ts';

// Every step starts a process, on a machine that may be busy.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let dataDir: string;
let node: ServedNode | null = null;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'backplane-listening-'));
});

afterEach(async () => {
  await node?.stop();
  const card = await readFile(join(dataDir, 'broker/broker.json'), 'utf8').catch(() => null);
  if (card) process.kill(JSON.parse(card).pid, 'SIGTERM');
  await rm(dataDir, { recursive: true, force: true });
});

/** The addresses that something listens on at a port, as the kernel knows them. */
function listenersAt(port: number): string[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) =>
    readFileSync(table, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      // 0A: LISTEN
      .filter(([, local, , state]) => state === '0A' && local?.endsWith(wanted))
      .map(([, local]) => local as string),
  );
}

const loopbackOnly = (port: number) => [
  `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`,
];

test.each([
  'server',
  'wasm',
])('S5: without settings a node and its broker (%s) listen on loopback only', async (server) => {
  const brokerPort = await freePort();
  node = await serveNode({
    args: ['--port', '0', '--broker-port', String(brokerPort), '--data-dir', dataDir],
    env: { BACKPLANE_BROKER_SERVER: server },
  });
  const port = Number(new URL(node.address).port);
  expect(listenersAt(port)).toEqual(loopbackOnly(port));
  expect(listenersAt(brokerPort)).toEqual(loopbackOnly(brokerPort));
});

test('S5: a token is compared by digests of one length, in constant time', () => {
  const source = readFileSync(join(projectRoot, 'src/gateway/doorkeeper.ts'), 'utf8');
  expect(source).toMatch(/timingSafeEqual\(digestOf\(token\), digest\)/);
  expect(source).not.toMatch(/reveal\(\) *[!=]==?|[!=]==? *\w+\.reveal\(\)/);
});
