import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { BackplaneNode } from '../../src/runtime/node.ts';
import { type CommandLine, commandLine } from '../support/command-line.ts';
import { type NodeCluster, startNodeCluster } from '../support/node-cluster.ts';

// Every step starts a process, on a machine that may be busy.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let cluster: NodeCluster;
let nodes: readonly [BackplaneNode, BackplaneNode];
let cli: CommandLine;

beforeAll(async () => {
  cluster = await startNodeCluster();
  nodes = [await cluster.node('node-a'), await cluster.node('node-b')];
  cli = commandLine({ BACKPLANE_URL: cluster.url });
});

afterAll(async () => {
  await cli?.stop();
  await cluster?.stop();
});

/** A killed orphan stays a zombie where nobody reaps it. */
async function stateOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  return stat === null ? 'gone' : (/\) (\w)/.exec(stat)?.[1] ?? stat);
}

describe('lease acquire, move and release', () => {
  test('a document goes from nobody to a node, to another, and back to nobody', async () => {
    const acquired = await cli.run('lease', 'acquire', 'doc', '--node', 'node-a', '-o', 'json');
    expect(acquired.json()).toMatchObject({ doc: 'doc', nodeId: 'node-a', epoch: 1 });
    expect(nodes[0].ownedEpoch('doc')).toBe(1);

    const moved = await cli.run('lease', 'move', 'doc', '--to', 'node-b', '-o', 'json');
    expect(moved.json()).toMatchObject({ nodeId: 'node-b', fromNodeId: 'node-a', epoch: 2 });
    expect(nodes[0].ownedEpoch('doc')).toBeNull();
    expect(nodes[1].ownedEpoch('doc')).toBe(2);

    const released = await cli.run('lease', 'release', 'doc', '-o', 'json');
    expect(released.json()).toMatchObject({ doc: 'doc', nodeId: 'node-b', epoch: 2 });
    expect(await cluster.engine.leases.read('doc')).toBeNull();
  });

  test('a document that is where it shall be is left alone', async () => {
    await nodes[0].acquire('still');
    const { json } = await cli.run('lease', 'move', 'still', '--to', 'node-a', '-o', 'json');
    expect(json()).toMatchObject({ nodeId: 'node-a', epoch: 1, moved: false });
  });

  test('acquiring what another owns exits 8 and names the owner', async () => {
    await nodes[0].acquire('taken');
    const { code, stderr } = await cli.run('lease', 'acquire', 'taken', '--node', 'node-b');
    expect(code).toBe(8);
    expect(stderr).toContain('"taken" is owned by node-a [BP-LEASE-HELD]');
  });

  test('releasing or moving what nobody owns exits 4', async () => {
    for (const args of [
      ['release', 'free'],
      ['move', 'free', '--to', 'node-b'],
    ]) {
      const { code, stderr } = await cli.run('lease', ...args);
      expect(code).toBe(4);
      expect(stderr).toContain('[BP-LEASE-UNKNOWN]');
    }
  });

  test('moving needs to know where to', async () => {
    expect((await cli.run('lease', 'move', 'doc')).code).toBe(2);
    expect((await cli.run('lease', 'move', 'taken', '--to', 'node-z')).code).toBe(4);
  });
});

describe('lease hold', () => {
  const hold = (doc: string, ...command: string[]) =>
    cli.run('lease', 'hold', doc, '--', ...command);

  test('runs a command with the epoch in its environment, and gives the document up', async () => {
    const script = 'echo "$BACKPLANE_DOC $BACKPLANE_EPOCH $BACKPLANE_NODE_ID"';
    const { code, stdout } = await hold('nightly', 'sh', '-c', script);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^nightly 1 hold-\w+\n$/),
    });
    expect(await cluster.engine.leases.read('nightly')).toBeNull();
    expect((await hold('nightly', 'sh', '-c', script)).stdout).toMatch(/^nightly 2 /);
  });

  test('passes the exit status of the command on', async () => {
    expect((await hold('status', 'sh', '-c', 'exit 42')).code).toBe(42);
    expect((await hold('status', 'sh', '-c', 'kill -9 $$')).code).toBe(137);
    expect((await hold('status', '/nonexistent/program')).code).toBe(127);
    expect(await cluster.engine.leases.read('status')).toBeNull();
  });

  test('exits 8 without running the command when another node owns the document', async () => {
    await nodes[0].acquire('busy');
    const { code, stdout, stderr } = await hold('busy', 'echo', 'ran');
    expect({ code, stdout }).toEqual({ code: 8, stdout: '' });
    expect(stderr).toContain('[BP-LEASE-HELD]');
  });

  test('holds the document until Ctrl-C when there is no command', async () => {
    const holding = cli.start('lease', 'hold', 'manual', '--node-id', 'holder', '-o', 'jsonl');
    await holding.until((stdout) => stdout.includes('"held"'));
    const other = await cli.run('lease', 'acquire', 'manual', '--node', 'node-a');
    expect(other.code).toBe(8);
    expect(other.stderr).toContain('holder');
    holding.kill('SIGINT');
    const { code, lines } = await holding.ended;
    expect(code).toBe(0);
    expect(lines()).toMatchObject([
      { type: 'held', doc: 'manual', nodeId: 'holder', epoch: 1 },
      { type: 'released', doc: 'manual' },
    ]);
    expect(await cluster.engine.leases.read('manual')).toBeNull();
  });

  test('kills the command and what it started when the lease is lost, and exits 8', async () => {
    const script = 'trap "" TERM; sleep 600 & echo "pid $!"; wait; wait; wait';
    const holding = cli.start(
      ...['lease', 'hold', 'lost', '--node-id', 'loser', '--kill-after', '200ms'],
      ...['--', 'sh', '-c', script],
    );
    await holding.until((stdout) => /pid \d+\n/.test(stdout));
    const released = await cli.run('lease', 'release', 'lost');
    expect(released.code).toBe(0);
    const { code, stderr, stdout } = await holding.ended;
    expect(code).toBe(8);
    expect(stderr).toContain('[BP-LEASE-LOST]');
    const sleeper = Number(/pid (\d+)/.exec(stdout)?.[1]);
    await expect.poll(() => stateOf(sleeper)).toBeOneOf(['gone', 'Z']);
  });

  test('passes SIGTERM on, and what the command then exits with', async () => {
    const holding = cli.start(
      ...[
        'lease',
        'hold',
        'stopped',
        '--',
        'sh',
        '-c',
        'trap "exit 7" TERM; echo on; sleep 600 & wait',
      ],
    );
    await holding.until((stdout) => stdout.includes('on'));
    holding.kill('SIGTERM');
    expect((await holding.ended).code).toBe(7);
    expect(await cluster.engine.leases.read('stopped')).toBeNull();
  });
});
