import { beforeEach, describe, expect, test } from 'vitest';
import { MemoryBroker } from '../../../src/drivers/memory/memory-broker.ts';
import { openMemoryEngine } from '../../../src/drivers/memory/memory-engine.ts';
import { Counters } from '../../../src/runtime/counters.ts';
import { noPayload, type RequestFrame } from '../../../src/runtime/frames.ts';
import { Outbox } from '../../../src/runtime/outbox.ts';
import { Responder } from '../../../src/runtime/requests/responder.ts';
import { SeededRandom } from '../../../src/verification/seeded-random.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const origin = { from: 'caller', plane: 'call', method: 'count', doc: null } as const;

describe('a copy of a call that was run', () => {
  let clock: VirtualClock;
  let responder: Responder;
  let ran: string[];

  beforeEach(() => {
    clock = new VirtualClock();
    ran = [];
    const { bus } = openMemoryEngine(new MemoryBroker(clock, new SeededRandom(1)));
    responder = new Responder({
      nodeId: 'n',
      outbox: new Outbox(bus, 1),
      clock,
      counters: new Counters(),
      handle: async ({ method, hops }) => {
        ran.push(method);
        return { nodeId: 'n', hops, payload: noPayload };
      },
    });
  });

  /** A call as its caller sent it `agoMs` ago; by the caller's wall clock, if that is another time. */
  function frame(id: string, sent: { agoMs?: number; agoByWallMs?: number; remainingMs?: number }) {
    const { agoMs = 0, agoByWallMs = agoMs, remainingMs = 4_000 } = sent;
    const sentAt = clock.wallMs() - agoByWallMs;
    const sentMs = clock.monotonicMs() - agoMs;
    const rest = { direct: true, hops: 0, payload: noPayload };
    return { kind: 'request', id, ...origin, ...rest, remainingMs, sentAt, sentMs } as RequestFrame;
  }

  test('is not run again, though the first was taken for older than it was', async () => {
    responder.receive(frame('0', { remainingMs: 1_000 }));
    // The caller's wall clock is set back for a while: its frames look as if they had waited.
    responder.receive(frame('1', { agoByWallMs: 2_000 }));
    await clock.advance(3_000);
    responder.receive(frame('2', { agoByWallMs: 2_000 }));
    expect(ran).toHaveLength(3);
    responder.receive({ ...frame('1', { remainingMs: 1_000 }), again: true });
    await clock.advance(1);
    expect(ran).toHaveLength(3);
  });

  test('is not run again when it comes long after its deadline from one who set its clock', async () => {
    responder.receive(frame('0', {}));
    const early = frame('1', {});
    responder.receive({ ...early, again: true });
    await clock.advance(14_000);
    responder.receive(frame('2', {}));
    expect(ran).toHaveLength(3);
    // Its wall clock says that the frame has just been sent.
    responder.receive({ ...early, sentAt: clock.wallMs() });
    await clock.advance(1);
    expect(ran).toHaveLength(3);
  });

  test('of an older node, which tells one clock only, is run once as well', async () => {
    const { sentMs: _, ...older } = frame('1', {});
    responder.receive(older);
    responder.receive({ ...older, again: true });
    await clock.advance(1);
    expect(ran).toHaveLength(1);
  });
});
