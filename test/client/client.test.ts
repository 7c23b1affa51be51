import { describe, expect, it, vi } from 'vitest';
import { type ConnectOptions, connect, type DocumentOp } from '../../src/client/index.ts';
import { streamOpsMax } from '../../src/client/op-stream.ts';
import { Secret } from '../../src/foundation/secret.ts';
import { GatewayWorld } from '../gateway/support/gateway-world.ts';
import { CutProxy } from './support/cut-proxy.ts';

const soon = { timeout: 4_500, interval: 5 };

function join(world: GatewayWorld, options: ConnectOptions) {
  return world.track(connect(options), (client) => client.close());
}

describe('a client', () => {
  it('sends ops and receives everybody’s, in order, each once', async () => {
    await using world = new GatewayWorld();
    const a = await world.serve('a');
    const b = await world.serve('b');
    const one = join(world, { urls: a.address }).open('d');
    const other = join(world, { urls: b.address }).open('d', { since: 0 });
    const seen: DocumentOp[] = [];
    other.on('op', (op) => seen.push(op));
    const acks = await Promise.all(Array.from({ length: 300 }, (_, n) => one.send({ n })));
    expect(acks.map(({ seq }) => seq)).toEqual(acks.map((_, index) => index + 1));
    expect(acks[0]).toEqual({ opId: `${one.peer}:1`, seq: 1, epoch: 1 });
    await vi.waitFor(() => expect(seen).toHaveLength(300), soon);
    expect(seen.map(({ payload }) => payload)).toEqual(acks.map((_, n) => ({ n })));
    expect(seen[0]).toMatchObject({ doc: 'd', seq: 1, peer: one.peer, opId: acks[0]?.opId });
    expect(other.seq).toBe(300);
  });

  it('iterates over the log and goes on live', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a');
    const writer = join(world, { urls: address }).open('d');
    for (const n of [1, 2, 3]) await writer.send(n);
    const reader = join(world, { urls: address }).open('d', { since: 1 });
    const payloads: unknown[] = [];
    for await (const { payload } of reader) {
      payloads.push(payload);
      if (payload === 3) await writer.send('live');
      if (payload === 'live') break;
    }
    expect(payloads).toEqual([2, 3, 'live']);
  });

  it('iterates slowly over a log far larger than it keeps in memory, and misses nothing', async () => {
    await using world = new GatewayWorld();
    const { node, address } = await world.serve('a', { engine: 'log' });
    const count = 3 * streamOpsMax;
    const payload = Buffer.from('0');
    const submit = (index: number) => node.submit('d', { peer: 'w', counter: index + 1, payload });
    for (let at = 0; at < count; at += 1_000) {
      const size = Math.min(1_000, count - at);
      await Promise.all(Array.from({ length: size }, (_, index) => submit(at + index)));
    }
    const reader = join(world, { urls: address }).open('d', { since: 0 });
    let expected = 1;
    for await (const { seq } of reader) {
      expect(seq).toBe(expected);
      if (expected++ === count) break;
      // Slower than the node sends, so that what waits reaches its bound.
      if (seq % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(expected).toBe(count + 1);
  });

  it('receives what came while nobody listened, once somebody does', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a');
    const client = join(world, { urls: address });
    const handle = client.open('d');
    await vi.waitFor(() => expect(handle.seq).toBe(0), soon);
    for (const n of [1, 2, 3]) await handle.send(n);
    const seen: unknown[] = [];
    handle.on('op', ({ payload }) => seen.push(payload));
    await handle.send(4);
    await vi.waitFor(() => expect(seen).toEqual([1, 2, 3, 4]), soon);
  });

  it('begins with the state, and folds on from there', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a');
    const writer = join(world, { urls: address }).open('d');
    await writer.send({ a: 1 });
    await writer.send({ b: 2 });
    const reader = join(world, { urls: address }).open('d', { state: true });
    const seen: number[] = [];
    reader.on('op', ({ seq }) => seen.push(seq));
    const state = await new Promise((resolve) => reader.on('state', resolve));
    expect(state).toEqual({ seq: 2, state: { a: 1, b: 2 } });
    await writer.send({ c: 3 });
    await vi.waitFor(() => expect(seen).toEqual([3]), soon);
    expect(reader.snapshot).toEqual(state);
  });

  it('sends and receives bytes', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a', { engine: 'log' });
    const handle = join(world, { urls: address }).open('d', { since: 0 });
    const seen: unknown[] = [];
    handle.on('op', ({ payload }) => seen.push(payload));
    const bytes = Uint8Array.from({ length: 20_000 }, (_, index) => index % 256);
    await handle.send(bytes);
    await vi.waitFor(() => expect(seen).toEqual([bytes]), soon);
  });

  it('rejects what is refused for good, and sends on what was behind it', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a', { engine: 'json' });
    const handle = join(world, { urls: address }).open('d', { since: 0 });
    const before = handle.peer;
    const outcomes = await Promise.allSettled([
      handle.send({ n: 1 }),
      handle.send(Uint8Array.of(255, 255)),
      handle.send({ n: 3 }),
    ]);
    expect(outcomes).toMatchObject([
      { status: 'fulfilled', value: { seq: 1 } },
      { status: 'rejected', reason: { code: 'PAYLOAD_INVALID', certainty: 'definite' } },
      { status: 'fulfilled', value: { seq: 2 } },
    ]);
    expect(handle.peer).not.toBe(before);
    expect(handle.unacknowledged).toBe(0);
  });

  it('calls the owner, and is told its error', async () => {
    await using world = new GatewayWorld();
    const { address, node } = await world.serve('a');
    node.handle('double', ({ payload }) => Buffer.from(String(2 * Number(payload))));
    const client = join(world, { urls: address });
    await client.connected();
    const handle = client.open('d');
    await handle.send(1);
    expect(await handle.rpc('double', 21)).toBe(42);
    await expect(handle.rpc('halve', 21)).rejects.toMatchObject({ code: 'METHOD_UNKNOWN' });
  });

  it('gives up a call that takes longer than it was given', async () => {
    await using world = new GatewayWorld();
    const { address, node } = await world.serve('a');
    const answer = Promise.withResolvers<Uint8Array>();
    node.handle('think', () => answer.promise);
    const client = join(world, { urls: address });
    await client.connected();
    const handle = client.open('d');
    await handle.send(1);
    const late = handle.rpc('think', null, { timeoutMs: 30 });
    await expect(late).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      certainty: 'indefinite',
    });
    const patient = handle.rpc('think', null, { timeoutMs: 4_000 });
    answer.resolve(Buffer.from('42'));
    expect(await patient).toBe(42);
  });

  it('says from which op on it follows, also after the connection was lost', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a');
    const writer = join(world, { urls: address }).open('d');
    for (const n of [1, 2]) await writer.send(n);
    const proxy = world.track(await CutProxy.open(address), (open) => open.close());
    const reader = join(world, { urls: proxy.address }).open('d');
    const heard: string[] = [];
    reader.on('joined', ({ seq }) => heard.push(`joined at ${seq}`));
    reader.on('op', ({ seq }) => heard.push(`op ${seq}`));
    await vi.waitFor(() => expect(heard).toEqual(['joined at 2']), soon);
    await writer.send(3);
    await vi.waitFor(() => expect(heard).toHaveLength(2), soon);
    proxy.cut();
    await vi.waitFor(() => expect(heard).toEqual(['joined at 2', 'op 3', 'joined at 3']), soon);
  });

  it('shares awareness, under its new id after a refused op, and takes it away on close', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a');
    const one = join(world, { urls: address }).open('d');
    const other = join(world, { urls: address }).open('d');
    other.on('awareness', () => {});
    one.setAwareness({ cursor: 1 });
    await vi.waitFor(() => expect([...other.awareness]).toEqual([[one.peer, { cursor: 1 }]]), soon);
    const before = one.peer;
    await expect(one.send(Uint8Array.of(255))).rejects.toMatchObject({ code: 'PAYLOAD_INVALID' });
    expect(one.peer).not.toBe(before);
    await vi.waitFor(() => expect([...other.awareness]).toEqual([[one.peer, { cursor: 1 }]]), soon);
    expect(one.awareness.size).toBe(0);
    one.close();
    await vi.waitFor(() => expect(other.awareness.size).toBe(0), soon);
  });

  it('proves itself with a token, and fails for good with a wrong one', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a', { token: new Secret('s3cret+/ü') });
    const right = join(world, { urls: address, token: 's3cret+/ü' });
    await right.connected();
    expect(right.nodeId).toBe('a');
    const wrong = join(world, { urls: address, token: 'guess' });
    const handle = wrong.open('d');
    const sent = expect(handle.send(1)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    await expect(wrong.connected()).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    await sent;
    expect(wrong.state).toBe('failed');
    expect(() => wrong.open('e')).toThrow();
  });

  it('refuses names and addresses before they do harm', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a');
    const client = join(world, { urls: address });
    expect(() => client.open('')).toThrow(expect.objectContaining({ code: 'NAME_INVALID' }));
    expect(() => client.open('a\u0000')).toThrow(expect.objectContaining({ code: 'NAME_INVALID' }));
    client.open('d');
    expect(() => client.open('d')).toThrow(expect.objectContaining({ code: 'CONFLICT' }));
    for (const urls of [[], 'redis://x', 'nonsense', 'ws://user:secret@host']) {
      expect(() => connect({ urls })).toThrow(expect.objectContaining({ code: 'URL_INVALID' }));
    }
  });

  it('ends its iterators and rejects what is not acknowledged when it is closed', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a');
    const proxy = world.track(await CutProxy.open(address), (open) => open.close());
    const client = join(world, { urls: proxy.address });
    const handle = client.open('d', { since: 0 });
    await handle.send(1);
    const read = (async () => {
      const seqs: number[] = [];
      for await (const { seq } of handle) seqs.push(seq);
      return seqs;
    })();
    await vi.waitFor(() => expect(handle.seq).toBe(1), soon);
    proxy.swallowAnswers();
    const sent = expect(handle.send(2)).rejects.toMatchObject({
      code: 'CLOSED',
      certainty: 'indefinite',
    });
    await client.close();
    await sent;
    expect(await read).toEqual([1]);
    expect(client.state).toBe('closed');
  });
});
