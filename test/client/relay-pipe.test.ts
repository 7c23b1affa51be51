import { beforeEach, describe, expect, test } from 'vitest';
import { type PipeParts, RelayPipe } from '../../src/client/relay-pipe.ts';
import { SeededRandom } from '../../src/verification/seeded-random.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const bytes = (text: string) => Buffer.from(text);
const ignored = () => {};

describe('one end of a conversation', () => {
  let clock: VirtualClock;
  let sent: number[];
  let acks: { received: number; taken: number; again: boolean }[];
  let handled: string[];
  let dropped: number;

  beforeEach(() => {
    clock = new VirtualClock();
    sent = [];
    acks = [];
    handled = [];
    dropped = 0;
  });

  function pipe(parts: Partial<PipeParts> = {}): RelayPipe {
    return new RelayPipe({
      clock,
      overflow: 'refuse',
      framesWaitingMax: 2,
      data: (id) => sent.push(id) > 0,
      ack: (ack) => acks.push(ack),
      probe: ignored,
      handle: (payload) => handled.push(Buffer.from(payload).toString()),
      dropped: () => {
        dropped += 1;
      },
      ...parts,
    });
  }

  test('hands a frame that comes again over once', async () => {
    const end = pipe();
    for (const id of [1, 1, 2, 1, 2]) end.data(id, bytes(`${id}`));
    await clock.advance(100);
    expect(handled).toEqual(['1', '2']);
    expect(acks.at(-1)).toMatchObject({ received: 2, taken: 2 });
  });

  test('hands nothing over behind a gap, and asks for what is missing once', async () => {
    const end = pipe();
    for (const id of [1, 3, 4]) end.data(id, bytes(`${id}`));
    await clock.advance(100);
    expect(handled).toEqual(['1']);
    expect(acks.filter(({ again }) => again)).toMatchObject([{ received: 1 }]);
    for (const id of [2, 3, 4]) end.data(id, bytes(`${id}`));
    await clock.advance(100);
    expect(handled).toEqual(['1', '2', '3', '4']);
  });

  test('sends again what the other end has not received, and nothing else', () => {
    const end = pipe();
    end.open(0, 0, 65_536);
    for (const text of ['a', 'b', 'c']) end.send(bytes(text)).catch(ignored);
    end.shut();
    sent = [];
    end.open(1, 0, 65_536);
    expect(sent).toEqual([2, 3]);
  });

  test('tells the sender that the frame was handled, not only that it arrived', async () => {
    const end = pipe();
    end.open(0, 0, 65_536);
    let isHandled = false;
    const sending = end.send(bytes('a')).then(() => {
      isHandled = true;
    });
    end.acked(1, 0, false);
    await clock.advance(1);
    expect(isHandled).toBe(false);
    end.acked(1, 1, false);
    await sending;
  });

  test('says that what it sent may have arrived, and sends it in no other conversation', async () => {
    const end = pipe();
    end.open(0, 0, 65_536);
    const lost = expect(end.send(bytes('a'))).rejects.toMatchObject({
      code: 'RELAY_LOST',
      certainty: 'indefinite',
    });
    end.restart('the daemon is another one');
    await lost;
    sent = [];
    end.open(0, 0, 65_536);
    expect(sent).toEqual([]);
  });

  test('keeps what it never sent for the next conversation', () => {
    const end = pipe();
    end.send(bytes('a')).catch(ignored);
    end.restart('the daemon is another one');
    end.open(0, 0, 65_536);
    expect(sent).toEqual([1]);
  });

  test('refuses what does not fit its queue, or drops the oldest when it was told to', async () => {
    const refusing = pipe();
    for (const text of ['a', 'b']) refusing.send(bytes(text)).catch(ignored);
    await expect(refusing.send(bytes('c'))).rejects.toMatchObject({ code: 'OVERLOADED' });
    const dropping = pipe({ overflow: 'drop-oldest' });
    const oldest = expect(dropping.send(bytes('a'))).rejects.toMatchObject({
      code: 'RELAY_DROPPED',
      certainty: 'definite',
    });
    for (const text of ['b', 'c']) dropping.send(bytes(text)).catch(ignored);
    await oldest;
    expect(dropped).toBe(1);
  });
});

test.each([
  1, 2, 3, 4, 5,
])('each frame arrives once and in order, whatever is lost or doubled: seed %i', async (seed) => {
  const clock = new VirtualClock();
  const random = new SeededRandom(seed);
  const handled: string[] = [];
  /** Loses a third of everything, and doubles some of the rest. */
  const carry = (deliver: () => void) => {
    const copies = random.fraction() < 0.33 ? 0 : random.fraction() < 0.3 ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) clock.after(random.fraction() * 20, deliver);
    return true;
  };
  const common = { clock, overflow: 'refuse', framesWaitingMax: 1_000, dropped: ignored } as const;
  const sender: RelayPipe = new RelayPipe({
    ...common,
    data: (id, payload) => carry(() => receiver.data(id, payload)),
    ack: ignored,
    probe: () => carry(() => receiver.answer()),
    handle: ignored,
  });
  const receiver: RelayPipe = new RelayPipe({
    ...common,
    data: () => true,
    ack: ({ received, taken, again }) => carry(() => sender.acked(received, taken, again)),
    probe: ignored,
    handle: (payload) => handled.push(Buffer.from(payload).toString()),
  });
  sender.open(0, 0, 65_536);
  const frames = Array.from({ length: 100 }, (_, at) => `${at}`);
  const sending = Promise.all(frames.map((frame) => sender.send(bytes(frame))));
  for (let passed = 0; sender.pending > 0 && passed < 600; passed++) await clock.advance(1_000);
  expect(sender.pending).toBe(0);
  await sending;
  expect(handled).toEqual(frames);
});
