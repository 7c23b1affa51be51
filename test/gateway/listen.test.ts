import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/foundation/secret.ts';
import { candidatePorts } from '../../src/gateway/listen.ts';
import { isLoopback } from '../../src/gateway/loopback.ts';
import { GatewayWorld } from './support/gateway-world.ts';

describe('where the gateway listens', () => {
  it('is the default port or the next free one, never the one of the embedded broker', async () => {
    expect(candidatePorts(4)).toEqual([7420, 7422, 7423, 7424]);
    await using world = new GatewayWorld();
    const first = await world.gateway({ port: null });
    const second = await world.gateway({ port: null });
    const ports = [first, second].map((gateway) => Number(new URL(gateway.address()).port));
    expect(new Set(ports).size).toBe(2);
    for (const port of ports) expect(candidatePorts(64)).toContain(port);
  });

  it('fails with PORT_BUSY when the port that was asked for is taken, and says how to find by whom', async () => {
    await using world = new GatewayWorld();
    const server = world.track(createServer(), (listening) => listening.close());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await expect(world.gateway({ port })).rejects.toMatchObject({
      code: 'PORT_BUSY',
      remedy: expect.stringContaining(`sport = :${port}`),
      facts: { port },
    });
  });

  it('fails with PORT_BUSY when none of the ports it may try is free', async () => {
    await using world = new GatewayWorld();
    await world.gateway({ port: null });
    await expect(world.gateway({ port: null, portsTried: 1 })).rejects.toMatchObject({
      code: 'PORT_BUSY',
    });
  });

  it.each([
    '0.0.0.0',
    '::',
    '192.0.2.1',
    'example.com',
  ])('is not %s without a token', async (host) => {
    await using world = new GatewayWorld();
    await expect(world.gateway({ host })).rejects.toMatchObject({ code: 'TOKEN_REQUIRED' });
  });

  it('is beyond loopback with a token, but not with an empty one', async () => {
    await using world = new GatewayWorld();
    const gateway = await world.gateway({ host: '0.0.0.0', token: new Secret('s3cret') });
    const { port } = new URL(gateway.address());
    expect((await fetch(`http://127.0.0.1:${port}/health/live`)).status).toBe(200);
    await expect(world.gateway({ host: '0.0.0.0', token: new Secret('') })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });

  it('is not an address this machine does not have', async () => {
    await using world = new GatewayWorld();
    await expect(
      world.gateway({ host: '192.0.2.1', token: new Secret('s3cret') }),
    ).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it('stops twice, and then listens no more', async () => {
    await using world = new GatewayWorld();
    const gateway = await world.gateway();
    await Promise.all([gateway.stop(), gateway.stop()]);
    await expect(fetch(gateway.address())).rejects.toThrow();
  });

  it('knows loopback by every name it has', () => {
    for (const host of ['localhost', '127.0.0.1', '127.9.9.9', '::1', '[::1]', 'a.localhost']) {
      expect(isLoopback(host), host).toBe(true);
    }
    for (const host of ['0.0.0.0', '::', '127.0.0.1.evil.example', 'localhost.evil.example', '']) {
      expect(isLoopback(host), host).toBe(false);
    }
  });
});
