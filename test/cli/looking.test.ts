import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { leavesOf, loadCommands } from '../../src/cli/load-commands.ts';
import type { ConnectionDoor } from '../../src/runtime/presence/presence-door.ts';
import { type CommandLine, commandLine } from '../support/command-line.ts';
import { happened, historyText } from '../support/history-text.ts';
import { type NodeCluster, startNodeCluster } from '../support/node-cluster.ts';
import { contentsOf } from '../support/redis-contents.ts';
import { monitorRedis } from '../support/redis-monitor.ts';
import { idleContext } from './support/cli-world.ts';

// Every step starts a process, on a machine that may be busy.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 60_000 });

/** What a user needs to look at everything, as Redis 7 can say it. No command of it writes. */
const readerRules = [
  ...['%R~backplane:*', '&backplane:*', '-@all', '+hello', '+ping', '+client|setname', '+time'],
  ...['+get', '+hget', '+hmget', '+hgetall', '+hscan', '+zrange', '+zscore', '+pttl'],
  ...['+eval_ro', '+evalsha_ro', '+publish', '+subscribe', '+unsubscribe'],
  ...['+pubsub|numsub', '+pubsub|channels', '+info'],
];

const folder = mkdtempSync(join(tmpdir(), 'backplane-looking-'));
const historyFile = join(folder, 'history.jsonl');
const { invoke, ok, logged, head } = happened;
writeFileSync(historyFile, historyText([invoke('p:1'), ok('p:1', 1), logged(1, 'p:1'), head(1)]));

/** Each command that says of itself that it only looks, once or more. */
const looks: Readonly<Record<string, readonly string[][]>> = {
  'inspect nodes': [['-o', 'json'], ['--all'], ['--expect', '2'], ['--watch', '200ms']],
  'inspect reachability': [[]],
  'inspect node': [['node-a']],
  'inspect leases': [
    ['-o', 'jsonl'],
    ['--node', 'node-a'],
  ],
  'inspect lease': [['owned']],
  'inspect docs': [[], ['-o', 'csv']],
  'inspect doc': [['owned'], ['free']],
  'inspect channels': [['-o', 'yaml']],
  'inspect connections': [[], ['--user', 'ann', '--fresh', '-o', 'json'], ['--watch', '200ms']],
  'inspect users': [['-o', 'jsonl']],
  'inspect groups': [['--hub', 'main']],
  'inspect presence': [[], ['--diff']],
  'inspect cache': [[], ['-o', 'json']],
  'cache probe': [['user:42', '--region', 'users']],
  'inspect relay': [[], ['-o', 'json']],
  'relay ping': [['node-a', 'node-b', '-n', '2']],
  'inspect awareness': [[], ['owned', '-o', 'json']],
  doctor: [[], ['-o', 'json']],
  fsck: [[], ['--fix']],
  explain: [['owned'], ['free'], ['node:node-a'], ['user:ann']],
  'plan failover': [[]],
  'check broker': [[], ['--format', 'nagios']],
  'check nodes': [[]],
  'check leases': [['--format', 'prometheus']],
  'check pubsub': [['--critical', '10s']],
  'check rpc': [['--critical', '10s', '--warn', '9s']],
  'check store': [['--critical', '10s', '--warn', '9s']],
  'check presence': [[]],
  'check cache': [[]],
  'check relay': [['--critical', '10s', '--warn', '9s']],
  tail: [
    ['--cache', '--wait', '300ms'],
    ['--cache', 'users', '--wait', '300ms', '-o', 'json'],
    ['owned', 'free', 'never', '--since', '0', '--wait', '400ms'],
    ['free', '--wait', '300ms', '-o', 'json'],
  ],
  top: [['--once'], ['--once', '--interval', '200ms', '-o', 'json']],
  'drill list': [[], ['--faults', '-o', 'json']],
  'drill show': [['owner-crash'], ['owner-crash', '--source'], ['--schema']],
  'context ls': [[]],
  'context show': [['--origin']],
  'context validate': [[]],
  help: [[], ['tail'], ['BP-LEASE-HELD']],
  man: [['tail']],
  completion: [['bash']],
  version: [[]],
  sim: [['--seeds', '1..2', '--hours', '0.1']],
  verify: [[historyFile]],
  __complete: [
    ['--', 'inspect', 'lease', ''],
    ['--', 'inspect', 'node', ''],
  ],
};

const lines = Object.entries(looks).flatMap(([name, tails]) =>
  tails.map((tail) => [...name.split(' '), ...tail]),
);
/** A watch goes on for ever. */
const isWatch = (line: readonly string[]) => line.includes('--watch');
const ending = lines.filter((line) => !isWatch(line));

const silentDoor: ConnectionDoor = {
  message: () => {},
  invoke: async ({ payload }) => payload,
  kicked: () => {},
};

let cluster: NodeCluster;
let reader: CommandLine;

beforeAll(async () => {
  cluster = await startNodeCluster('node-a', 'node-b');
  const { redis } = cluster;
  const third = await cluster.node('node-ab');
  const cached = third.caches.create({ region: 'users', l2: {} });
  await cached.get('user:42', () => 'Ada');
  third.presence.register({ user: 'ann', groups: ['red'] }, silentDoor);
  for (const doc of ['owned', 'free']) await cluster.write(doc, '{"title":"hello"}');
  const { code } = await commandLine({ BACKPLANE_URL: cluster.url }).run(
    'lease',
    'release',
    'free',
  );
  expect(code).toBe(0);
  await redis.cli('ACL', 'SETUSER', 'reader', 'reset', 'on', '>only-looks', ...readerRules);
  reader = commandLine({ BACKPLANE_URL: `redis://reader:only-looks@127.0.0.1:${redis.port}` });
});

afterAll(async () => {
  rmSync(folder, { recursive: true });
  await reader?.stop();
  await cluster?.stop();
});

async function look(line: readonly string[]): Promise<void> {
  if (!isWatch(line)) {
    const { code, stderr } = await reader.run(...line);
    expect({ line, code, stderr }).toEqual({ line, code: 0, stderr: expect.any(String) });
    return;
  }
  const watching = reader.start(...line);
  await watching.until((stdout) => (stdout.match(/node-a/g)?.length ?? 0) >= 2);
  watching.kill('SIGINT');
  expect((await watching.ended).code).toBe(130);
}

/** A few at a time, as many as a small machine runs at once. */
async function each(some: readonly string[][], run: (line: string[]) => Promise<unknown>) {
  for (let at = 0; at < some.length; at += 3) await Promise.all(some.slice(at, at + 3).map(run));
}

describe('a command that only looks', () => {
  test('is on the list of this test', async () => {
    const reading = leavesOf(await loadCommands(idleContext()))
      .filter(([, leaf]) => leaf.impact === 'ro')
      .map(([path]) => path.replace('backplane ', ''));
    expect(Object.keys(looks)).toEqual(expect.arrayContaining(reading));
  });

  test('L8: works for a user who may not write, and leaves every key as it was', async () => {
    const before = await contentsOf(cluster.redis);
    await each(lines, look);
    expect(await contentsOf(cluster.redis)).toEqual(before);
    expect(before.join('\n')).toMatch(/leases:\{l\d+\}/);
  });

  test('L8: sends nothing that writes, also when it might, and makes no node write', async () => {
    const { redis } = cluster;
    const writer = commandLine({ BACKPLANE_URL: cluster.url });
    const clients = await redis.cli('CLIENT', 'LIST');
    const nodes = new Set([...clients.matchAll(/ addr=(\S+)/g)].map(([, address]) => address));
    const monitor = await monitorRedis(redis);
    await each(ending, (line) => writer.run(...line));
    const seen = await monitor.seen();
    monitor.stop();
    const sentByLookers = seen.filter(({ by }) => by !== 'lua' && !nodes.has(by));
    const verbs = [...new Set(sentByLookers.map(({ verb }) => verb))];
    // Else this test would look at nothing.
    expect(verbs).toEqual(expect.arrayContaining(['hscan', 'evalsha_ro', 'subscribe', 'publish']));
    const info = await Promise.all(verbs.map((verb) => redis.cli('COMMAND', 'INFO', verb)));
    const writing = verbs.filter((_, at) => /^write$/m.test(info[at] ?? ''));
    expect(writing).toEqual([]);
    expect(verbs.filter((verb) => ['eval', 'evalsha', 'script', 'multi'].includes(verb))).toEqual(
      [],
    );
    // Sessions are renewed and swept whoever looks; documents and leases are left alone.
    const changes = seen.filter(
      ({ verb, text }) =>
        /^(set|hset|hdel|del|xadd|zadd|zrem)$/.test(verb) &&
        /"backplane:(doc:|leases:|documents)/.test(text),
    );
    expect(changes.map(({ text }) => text)).toEqual([]);
  });

  test('L8: leaves a document to its dead owner, however often it is looked at', async () => {
    const doomed = await cluster.node('node-doomed');
    await doomed.acquire('orphan');
    const record = await cluster.engine.leases.read('orphan');
    await doomed.stop('crash');
    const orphaned = ['inspect lease orphan', 'inspect doc orphan', 'tail orphan --wait 1s'];
    await each(
      orphaned.map((line) => line.split(' ')),
      look,
    );
    // Sooner than another node would give its owner up by itself.
    expect(await cluster.engine.leases.read('orphan')).toEqual(record);
  });
});
