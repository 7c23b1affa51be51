import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type DaemonHandle, joinWorkspace, serveWorkspace } from '../../src/client/index.ts';
import { type CommandLine, commandLine } from '../support/command-line.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { type ServedNode, serveNode } from '../support/serve-node.ts';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let redis: RedisServer;
let cli: CommandLine;
let nodes: ServedNode[];
let daemon: DaemonHandle;

beforeAll(async () => {
  redis = await startRedisServer();
  const env = { BACKPLANE_URL: redis.url, BACKPLANE_MODE: 'redis', BACKPLANE_REDIRECT: '1' };
  const serve = (id: string, url: string) =>
    serveNode({
      args: ['--node-id', id, '--port', '0'],
      env: { ...env, BACKPLANE_PUBLIC_URL: url },
    });
  nodes = [await serve('web-1', 'http://one.example'), await serve('web-2', 'http://two.example')];
  cli = commandLine({ BACKPLANE_URL: redis.url });
  daemon = serveWorkspace({ urls: nodes[1]?.address ?? '', workspace: 'notes', onFrame: () => {} });
  await daemon.serving();
});

afterAll(async () => {
  await daemon?.close();
  await cli?.stop();
  await Promise.all(nodes?.map((node) => node.stop()) ?? []);
  await redis?.stop();
});

describe('inspect relay', () => {
  test('shows who serves a workspace, who is in it, and what was dropped', async () => {
    const browser = joinWorkspace({ urls: nodes[0]?.address ?? '', workspace: 'notes' });
    try {
      await browser.send(Buffer.from('hello'));
      // The public URL of the daemon's node is not allowed here: so it is forwarded.
      expect(browser.nodeId).toBe('web-1');
      const { code, json } = await cli.run('inspect', 'relay', 'notes', '-o', 'json');
      expect(code).toBe(0);
      expect(json()).toMatchObject({
        schemaVersion: 1,
        relay: [
          {
            workspace: 'notes',
            nodeId: 'web-2',
            publicUrl: 'http://two.example',
            browsers: 1,
            browserNodes: ['web-1'],
            dropped: 0,
            redirects: 0,
          },
        ],
      });
      const refused = nodes[0]?.lines.filter(({ name }) => name === 'relay.redirect-refused');
      expect(refused?.length).toBeGreaterThan(0);
    } finally {
      await browser.close();
    }
  });

  test('exits 4 for a workspace nobody is in', async () => {
    const { code, stderr, stdout } = await cli.run('inspect', 'relay', 'drafts');
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
    expect(stderr).toContain('[BP-WORKSPACE-UNKNOWN]');
  });

  test('names a node that does not answer, and exits 11', async () => {
    nodes[1]?.kill('SIGSTOP');
    try {
      const { code, stdout, stderr } = await cli.run('inspect', 'relay', '--timeout', '1s');
      expect(code).toBe(11);
      expect(stdout).toContain('web-2');
      expect(stderr).toContain('no answer from web-2');
    } finally {
      nodes[1]?.kill('SIGCONT');
    }
  });
});

describe('relay ping', () => {
  test('measures the way through the bus', async () => {
    const { code, json } = await cli.run(
      'relay',
      'ping',
      'web-1',
      'web-2',
      '-n',
      '3',
      '-o',
      'json',
    );
    expect(code).toBe(0);
    expect(json()).toMatchObject({ via: 'bus', count: 3, url: null, connectMs: null });
  });

  test('exits 2 for a redirect that is not allowed, 4 for an unknown node', async () => {
    const refused = await cli.run('relay', 'ping', 'web-1', 'web-2', '--via', 'redirect');
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.stderr).toContain('[BP-RELAY-REDIRECT-REFUSED]');
    const unknown = await cli.run('relay', 'ping', 'web-1', 'web-3');
    expect(unknown).toMatchObject({ code: 4 });
  });
});

describe('a second daemon', () => {
  test('is refused on another node, with the node of the first', async () => {
    const urls = nodes[0]?.address ?? '';
    const second = serveWorkspace({ urls, workspace: 'notes', onFrame: () => {} });
    await expect(second.serving()).rejects.toMatchObject({ code: 'RELAY_DAEMON_TAKEN' });
    expect(second.error?.message).toContain('web-2');
  });
});
