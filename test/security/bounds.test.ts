import { describe, expect, test, vi } from 'vitest';
import { limits } from '../../src/foundation/limits.ts';
import { parsePlainJson } from '../../src/foundation/plain-json.ts';
import { MessagePace } from '../../src/gateway/message-pace.ts';
import { decodeFrames, encodeFrame } from '../../src/runtime/frames.ts';
import { GatewayWorld } from '../gateway/support/gateway-world.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

describe('what is too large or too deep', () => {
  test('S16: JSON is measured before it is parsed', () => {
    const parse = vi.spyOn(JSON, 'parse');
    const large = `"${'x'.repeat(limits.frameBytesMax)}"`;
    expect(() => parsePlainJson(large)).toThrow(
      expect.objectContaining({ code: 'PAYLOAD_TOO_LARGE' }),
    );
    expect(parse).not.toHaveBeenCalled();
    parse.mockRestore();
  });

  test('S16: JSON is at most 64 deep, and a bomb of a million brackets is refused quickly', () => {
    expect(parsePlainJson(nested(limits.jsonDepthMax))).toBeTruthy();
    for (const depth of [limits.jsonDepthMax + 1, 1_000_000]) {
      const startedMs = performance.now();
      expect(() => parsePlainJson(nested(depth))).toThrow(
        expect.objectContaining({ code: 'REQUEST_INVALID' }),
      );
      expect(performance.now() - startedMs).toBeLessThan(3_000);
    }
  });

  test('S16: a frame above the limit is skipped, and the one behind it is read', () => {
    const probe = (bytes: number) =>
      encodeFrame(7, { kind: 'probe', nonce: bytes, payload: new Uint8Array(bytes) });
    const published = Buffer.concat([probe(limits.frameBytesMax), probe(3)]);
    const faults: string[] = [];
    const frames = [...decodeFrames(7, published, (fault) => faults.push(fault))];
    expect(frames).toMatchObject([{ kind: 'probe', nonce: 3 }]);
    expect(faults).toEqual(['malformed']);
  });

  test('S16: compression, by which little becomes much, is not agreed to', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a');
    const peer = await world.peer(address);
    expect(peer.socket.extensions).toBe('');
  });
});

describe('a peer that sends too fast', () => {
  test('S16: is not read for as long as it is ahead, and then goes on', async () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    const socket = { pause: () => seen.push('pause'), resume: () => seen.push('resume') };
    const pace = new MessagePace({ clock, messagesPerSecond: 100, socket, paused() {} });
    for (let message = 0; message < 100; message++) pace.take();
    expect(seen).toEqual([]);
    // Fifty that were read already: they are half a second ahead.
    for (let message = 0; message < 50; message++) pace.take();
    expect(seen).toEqual(['pause']);
    await clock.advance(490);
    expect(seen).toEqual(['pause']);
    await clock.advance(30);
    expect(seen).toEqual(['pause', 'resume']);
    await clock.advance(10_000);
    for (let message = 0; message < 100; message++) pace.take();
    expect(seen).toEqual(['pause', 'resume']);
    pace.take();
    expect(seen).toEqual(['pause', 'resume', 'pause']);
    pace.stop();
    await clock.advance(10_000);
    expect(seen).toEqual(['pause', 'resume', 'pause']);
  });

  test('S16: loses nothing, and keeps no other peer waiting', async () => {
    await using world = new GatewayWorld();
    const { address } = await world.serve('a', { bounds: { messagesPerSecond: 200 } });
    const fast = await world.peer(address);
    const other = await world.peer(address);
    const startedMs = performance.now();
    for (let ping = 0; ping < 500; ping++) fast.send({ type: 'ping' });
    const pongs = () => fast.messages.filter(({ type }) => type === 'pong').length;
    await fast.until(() => pongs() > 200);
    // What came in one piece was read at once; this is only read when its time has come.
    fast.send({ type: 'ping' });
    other.send({ type: 'ping' });
    await other.next('pong');
    expect(pongs()).toBeLessThan(501);
    await fast.until(() => pongs() === 501);
    expect(performance.now() - startedMs).toBeGreaterThan(1_000);
  });
});
