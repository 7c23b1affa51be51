import { describe, expect, it, vi } from 'vitest';
import {
  type JoinOptions,
  joinWorkspace,
  type ServeOptions,
  serveWorkspace,
} from '../../src/client/index.ts';
import { GatewayWorld } from './support/gateway-world.ts';

const soon = { timeout: 4_500, interval: 5 };
const text = (frame: Uint8Array) => Buffer.from(frame).toString('utf8');
const bytes = (value: string) => Buffer.from(value);

function join(world: GatewayWorld, options: JoinOptions) {
  return world.track(joinWorkspace(options), (handle) => handle.close());
}

function serve(world: GatewayWorld, options: Omit<ServeOptions, 'onFrame'> & Partial<ServeOptions>) {
  const heard: string[] = [];
  const daemon = serveWorkspace({ onFrame: (frame) => void heard.push(text(frame)), ...options });
  return { daemon: world.track(daemon, (handle) => handle.close()), heard };
}

describe('a workspace', () => {
  it('carries frames both ways, in order, each once, between two nodes', async () => {
    await using world = new GatewayWorld();
    const a = await world.serve('a');
    const b = await world.serve('b');
    const heard: string[] = [];
    const { daemon } = serve(world, {
      urls: b.address,
      workspace: 'w',
      onFrame: (frame, browser) => {
        heard.push(text(frame));
        void browser.send(bytes(`re: ${text(frame)}`));
      },
    });
    await daemon.serving();
    const answers: string[] = [];
    const browser = join(world, {
      urls: a.address,
      workspace: 'w',
      onFrame: (frame) => void answers.push(text(frame)),
    });
    const sent = Array.from({ length: 500 }, (_, n) => `frame ${n}`);
    await Promise.all(sent.map((frame) => browser.send(bytes(frame))));
    expect(heard).toEqual(sent);
    await vi.waitFor(() => expect(answers).toEqual(sent.map((frame) => `re: ${frame}`)), soon);
    expect(a.node.metrics().counters.relay_letters_forwarded_total).toBeGreaterThan(500);
  });

  it('says at once that there is no daemon, and again when there is', async () => {
    await using world = new GatewayWorld();
    const a = await world.serve('a');
    const b = await world.serve('b');
    const browser = join(world, { urls: a.address, workspace: 'w' });
    const absent = new Promise((resolve) => browser.on('unavailable', resolve));
    expect(await absent).toMatchObject({ code: 'DAEMON_UNAVAILABLE' });
    await expect(browser.send(bytes('x'))).rejects.toMatchObject({
      code: 'DAEMON_UNAVAILABLE',
      certainty: 'definite',
    });
    const { daemon, heard } = serve(world, { urls: b.address, workspace: 'w' });
    await browser.available();
    await browser.send(bytes('hello'));
    expect(heard).toEqual(['hello']);
    const gone = new Promise((resolve) => browser.on('unavailable', resolve));
    await daemon.close();
    expect(await gone).toMatchObject({ code: 'DAEMON_UNAVAILABLE' });
  });

  it('has one daemon: a second is refused, or takes over when told to', async () => {
    await using world = new GatewayWorld();
    const a = await world.serve('a');
    const b = await world.serve('b');
    const first = serve(world, { urls: a.address, workspace: 'w' });
    await first.daemon.serving();
    const second = serve(world, { urls: b.address, workspace: 'w' });
    await expect(second.daemon.serving()).rejects.toMatchObject({ code: 'RELAY_DAEMON_TAKEN' });
    expect(second.daemon.error?.message).toMatch(/connected to node a/);
    const third = serve(world, { urls: b.address, workspace: 'w', take: true });
    await third.daemon.serving();
    await vi.waitFor(() => expect(first.daemon.error?.code).toBe('RELAY_DAEMON_TAKEN'), soon);
    const browser = join(world, { urls: a.address, workspace: 'w' });
    await browser.send(bytes('to the third'));
    expect(third.heard).toEqual(['to the third']);
  });
});
