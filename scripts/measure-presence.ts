/**
 * What presence costs: connections on four nodes over one broker, as `npm run measure:presence`
 * prints it; `CONNECTIONS` says how many. The broker is the redis-server of `REDIS_URL` (redis://127.0.0.1:6379); each node is a
 * process of its own, so that its memory is its own.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createNode } from '../dist/index.js';

const url = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379';
const prefix = 'presence-measure:';
const nodes = 4;
const connections = Number(process.env.CONNECTIONS ?? 100_000);
const perNode = connections / nodes;
const groupSize = 1_000;

type Ask = { readonly what: string; readonly count?: number; readonly at?: number };

if (process.argv[2] === 'node') await beNode(process.argv[3] ?? 'n0');
else await measure();

async function beNode(nodeId: string): Promise<void> {
  const node = await createNode({ url, prefix, nodeId });
  let heard = 0;
  const door = { message: () => void heard++, invoke: async () => Buffer.from('1'), kicked() {} };
  const answers: Record<string, (ask: Ask) => unknown> = {
    register: ({ count = 0, at = 0 }) => {
      for (let index = 0; index < count; index += 1) {
        const user = `user-${at + index}`;
        const group = `group-${Math.floor((at + index) % (connections / groupSize))}`;
        const attributes = { device: index % 3 ? 'phone' : 'desk' };
        node.presence.register({ user, groups: [group], attributes }, door);
      }
    },
    seen: async () => (await node.presence.find({ hub: 'main' })).length,
    memory: () => {
      globalThis.gc?.();
      return process.memoryUsage().heapUsed;
    },
    cpu: () => process.cpuUsage().user + process.cpuUsage().system,
    lookup: async ({ count = 0 }) => {
      const started = performance.now();
      for (let index = 0; index < count; index += 1) {
        await node.presence.isOnline(`user-${(index * 7919) % connections}`, { hub: 'main' });
      }
      return (performance.now() - started) / count;
    },
    broadcast: async ({ count = 0 }) => {
      const took: number[] = [];
      for (let index = 0; index < count; index += 1) {
        const started = performance.now();
        const target = { hub: 'main', group: `group-${index % 10}` };
        const { delivered } = await node.presence.send(target, Buffer.from('{"hello":"group"}'));
        if (delivered !== groupSize) throw new Error(`${delivered} of ${groupSize} were reached`);
        took.push(performance.now() - started);
      }
      return took.sort((one, other) => one - other);
    },
    invoke: async ({ count = 0 }) => {
      const took: number[] = [];
      for (let index = 0; index < count; index += 1) {
        const started = performance.now();
        const target = { hub: 'main', user: `user-${(index * 7919) % connections}` };
        await node.presence.invokeOne(target, 'ping', Buffer.from('1'));
        took.push(performance.now() - started);
      }
      return took.sort((one, other) => one - other);
    },
    heard: () => heard,
    stop: async () => {
      await node.stop('crash');
      process.disconnect();
    },
  };
  process.on('disconnect', () => process.exit());
  process.on('message', async (ask: Ask) => {
    try {
      process.send?.({ answer: await answers[ask.what]?.(ask) });
    } catch (error) {
      process.send?.({ failed: String(error) });
    }
  });
  process.send?.({ answer: 'ready' });
}

async function measure(): Promise<void> {
  const children: ChildProcess[] = [];
  for (let index = 0; index < nodes; index += 1) {
    const args = ['node', `n${index + 1}`];
    const child = fork(fileURLToPath(import.meta.url), args, { execArgv: ['--expose-gc'] });
    await told(child);
    children.push(child);
  }
  const ask = async (child: ChildProcess, question: Ask) => {
    child.send(question);
    return told(child);
  };
  const askAll = (question: Ask) => Promise.all(children.map((child) => ask(child, question)));
  const [first] = children as [ChildProcess];
  const before = (await askAll({ what: 'memory' })) as number[];

  const started = performance.now();
  const registering = children.map((child, index) =>
    ask(child, { what: 'register', count: perNode, at: index * perNode }),
  );
  await Promise.all(registering);
  const registered = performance.now() - started;
  let seen: unknown[] = [];
  do {
    // To ask costs the nodes something, too.
    await new Promise((resolve) => setTimeout(resolve, 200));
    seen = await askAll({ what: 'seen' });
  } while (seen.some((count) => count !== connections));
  const everywhere = performance.now() - started;
  const after = (await askAll({ what: 'memory' })) as number[];
  const bytes = after.map((used, index) => (used - (before[index] ?? 0)) / connections);
  const lookupMs = (await ask(first, { what: 'lookup', count: 20_000 })) as number;
  const sends = (await ask(first, { what: 'broadcast', count: 200 })) as number[];
  const calls = (await ask(first, { what: 'invoke', count: 2_000 })) as number[];
  const idleFrom = (await askAll({ what: 'cpu' })) as number[];
  await new Promise((resolve) => setTimeout(resolve, 9_000));
  const idleTo = (await askAll({ what: 'cpu' })) as number[];
  const idle = idleTo.map((used, index) => (used - (idleFrom[index] ?? 0)) / 9_000 / 10);

  const say = (what: string, figure: string) => console.log(`${what.padEnd(52)} ${figure}`);
  say(`connections, on ${nodes} nodes`, connections.toLocaleString('en'));
  say('registered at their nodes after', `${registered.toFixed(0)} ms`);
  say('seen by every node after', `${everywhere.toFixed(0)} ms`);
  say('  of them a second', Math.round((connections / everywhere) * 1_000).toLocaleString('en'));
  say('memory of a node for each connection of the cluster', `${mean(bytes).toFixed(0)} bytes`);
  say('is this user online', `${(lookupMs * 1_000).toFixed(1)} µs`);
  say(`message to a group of ${groupSize}, p50`, `${at(sends, 0.5)} ms`);
  say(`message to a group of ${groupSize}, p99`, `${at(sends, 0.99)} ms`);
  say('invocation of one user, p50', `${at(calls, 0.5)} ms`);
  say('invocation of one user, p99', `${at(calls, 0.99)} ms`);
  say('processor of a node while nothing changes', `${mean(idle).toFixed(1)} %`);
  for (const child of children) child.send({ what: 'stop' });
  await Promise.all(children.map((child) => once(child, 'exit')));
}

async function told(child: ChildProcess): Promise<unknown> {
  const [message] = await once(child, 'message');
  const { answer, failed } = message as { answer?: unknown; failed?: string };
  if (failed !== undefined) throw new Error(failed);
  return answer;
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
}

function at(sorted: readonly number[], share: number): string {
  return (sorted[Math.floor(sorted.length * share)] ?? Number.NaN).toFixed(2);
}
