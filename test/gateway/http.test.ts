import { once } from 'node:events';
import { request } from 'node:http';
import { createConnection } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/foundation/secret.ts';
import { counterNames } from '../../src/runtime/counters.ts';
import { GatewayWorld } from './support/gateway-world.ts';

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** fetch would not let a test choose its Host. */
async function get(
  url: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const { method = 'GET', headers = {}, body } = options;
  const asked = request(url, { method, headers, agent: false });
  asked.on('error', () => {});
  asked.end(body);
  const [response] = await once(asked, 'response');
  let text = '';
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode, headers: response.headers, body: text };
}

describe('the pages of the gateway', () => {
  it('says that it lives, and is ready once the node serves', async () => {
    await using world = new GatewayWorld();
    const gateway = await world.gateway();
    const page = (path: string) => get(gateway.address() + path);
    expect((await page('/health/live')).status).toBe(200);
    const early = await page('/health/ready');
    expect(early.status).toBe(503);
    expect(JSON.parse(early.body)).toMatchObject({ ready: false, state: 'starting' });
    const node = await world.node('a');
    gateway.serve(node);
    const ready = await page('/health/ready');
    expect(ready.status).toBe(200);
    expect(JSON.parse(ready.body)).toMatchObject({
      ready: true,
      state: 'ready',
      nodeId: 'a',
      session: node.session(),
      checks: [{ name: 'broker', ok: true }, { name: 'subscriber' }, { name: 'store' }, {}],
    });
    await node.drain();
    const draining = await page('/health/ready');
    expect(draining.status).toBe(503);
    expect(JSON.parse(draining.body)).toMatchObject({ ready: false, state: 'draining' });
    expect((await page('/health/live')).status).toBe(200);
  });

  it('is not ready when the session is gone', async () => {
    await using world = new GatewayWorld();
    const { node, address } = await world.serve('a');
    await node.stop('crash');
    const answer = await get(`${address}/health/ready`);
    expect(answer.status).toBe(503);
    expect(JSON.parse(answer.body)).toMatchObject({ ready: false, state: 'failing' });
  });

  it('names every counter of the node with HELP and TYPE, and measures the event loop', async () => {
    await using world = new GatewayWorld();
    const { node, address } = await world.serve('a');
    await node.submit('d', { peer: 'p', counter: 1, payload: Buffer.from('1') });
    const { status, headers, body } = await get(`${address}/metrics`);
    expect(status).toBe(200);
    expect(headers['content-type']).toMatch(/^text\/plain/);
    for (const name of counterNames) {
      expect(body).toContain(`# TYPE backplane_${name} counter`);
      expect(body).toMatch(new RegExp(`^# HELP backplane_${name} [A-Z].+\\.$`, 'm'));
    }
    expect(body).toContain('backplane_ops_appended_total 1\n');
    expect(body).toContain('backplane_connections 0\n');
    expect(body).toMatch(/^backplane_nodejs_eventloop_lag_seconds \d/m);
    expect(body).toContain('backplane_gateway_http_requests_total');
    // Two scrapes are two readings of one thing, not a second registration.
    expect((await get(`${address}/metrics`)).status).toBe(200);
  });

  it('has a card at the root, JSON errors elsewhere, and answers HEAD without a body', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a');
    expect(JSON.parse((await get(address)).body)).toMatchObject({ nodeId: 'a', peerProtocol: 1 });
    const missing = await get(`${address}/admin`);
    expect(missing.status).toBe(404);
    expect(JSON.parse(missing.body).error.code).toBe('REQUEST_INVALID');
    expect((await get(`${address}/v1/peers`)).status).toBe(426);
    const head = await get(`${address}/health/live`, { method: 'HEAD' });
    expect([head.status, head.body]).toEqual([200, '']);
  });

  it('allows no other site to read it', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a');
    const { headers } = await get(`${address}/`, { headers: { origin: 'https://evil.example' } });
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('refuses %s', async (method) => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a');
    const answer = await get(`${address}/health/live`, { method });
    expect(answer.status).toBe(405);
    expect(answer.headers.allow).toBe('GET, HEAD');
  });

  it('takes no body', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a');
    const answer = await get(`${address}/`, { headers: { 'content-length': '4' }, body: 'body' });
    expect(answer.status).toBe(413);
  });

  it.each([
    'evil.example',
    'evil.example:7420',
    '127.0.0.1.evil.example',
    'x/127.0.0.1',
  ])('answers nothing under the Host %j', async (host) => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a');
    expect((await get(`${address}/metrics`, { headers: { host } })).status).toBe(421);
  });

  it.each([
    'localhost',
    'localhost:7420',
    '127.0.0.1:1',
    '[::1]:7420',
    'node.internal',
  ])('answers under the Host %j', async (host) => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a', { names: ['node.internal'] });
    expect((await get(`${address}/health/live`, { headers: { host } })).status).toBe(200);
  });

  it('shows metrics and details only to those who have the token', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a', { token: new Secret('s3cret') });
    expect((await get(`${address}/metrics`)).status).toBe(401);
    const wrong = { headers: { authorization: 'Bearer s3cre' } };
    expect((await get(`${address}/metrics`, wrong)).status).toBe(401);
    const right = { headers: { authorization: 'Bearer s3cret' } };
    expect((await get(`${address}/metrics`, right)).status).toBe(200);
    expect((await get(`${address}/metrics?token=s3cret`)).status).toBe(200);
    const probe = JSON.parse((await get(`${address}/health/ready`)).body);
    expect(probe).toEqual({ ready: true, state: 'ready' });
    expect(JSON.parse((await get(`${address}/health/ready`, right)).body).checks).toHaveLength(4);
  });

  it('hangs up on a client that never finishes its headers', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a', { bounds: { headersMs: 200, requestMs: 200 } });
    const { hostname, port } = new URL(address);
    const socket = createConnection(Number(port), hostname);
    world.track(socket, () => socket.destroy());
    socket.on('error', () => {});
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
    let heard = '';
    socket.on('data', (data) => {
      heard += data;
    });
    await once(socket, 'close');
    expect(heard).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('refuses headers beyond 16 KiB', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a');
    const answer = await get(`${address}/`, { headers: { 'x-large': 'x'.repeat(20_000) } });
    expect(answer.status).toBe(431);
  });
});
