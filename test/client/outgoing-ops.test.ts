import { describe, expect, it } from 'vitest';
import type { Answer, Line, LineRequest } from '../../src/client/line.ts';
import { OutgoingOps } from '../../src/client/outgoing-ops.ts';
import { BackplaneError } from '../../src/foundation/errors.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

interface SentOp {
  readonly peer: string;
  readonly counter: number;
  readonly payload: unknown;
  answer(answer: Partial<Answer>): void;
}

/** A line that keeps what was sent and answers when the test does. */
class HeldLine implements Line {
  isUp = true;
  room = Number.POSITIVE_INFINITY;
  readonly sent: SentOp[] = [];

  post(): void {}

  request(request: LineRequest): boolean {
    if (!this.isUp || this.room <= 0) return false;
    this.room -= 1;
    const { peer, counter, payload } = JSON.parse(request.text(this.sent.length));
    const answer = (given: Partial<Answer>) => request.answered(given as Answer);
    this.sent.push({ peer, counter, payload, answer });
    return true;
  }

  /** What was sent since the last call, as `counter:payload`. */
  take(): string[] {
    const fresh = this.sent.slice(this.#taken);
    this.#taken = this.sent.length;
    return fresh.map((op) => `${op.counter}:${op.payload}`);
  }

  ack(index: number, seq = index + 1): void {
    const op = this.sent[index] as SentOp;
    op.answer({ type: 'ack', opId: `${op.peer}:${op.counter}`, seq, epoch: 1 });
  }

  refuse(index: number, code: string, more: object = {}): void {
    const refusal = { type: 'refused', code, certainty: 'definite', message: code, facts: {} };
    this.sent[index]?.answer({ ...refusal, ...more } as Partial<Answer>);
  }

  #taken = 0;
}

function setUp() {
  const clock = new VirtualClock();
  const line = new HeldLine();
  const lost: BackplaneError[] = [];
  const peers: string[] = [];
  let drawn = 0;
  const ops = new OutgoingOps({
    doc: 'd',
    line,
    clock,
    random: { fraction: () => 0.5, token: () => `peer${drawn++}` },
    peerChanged: (before, after) => peers.push(`${before} ${after}`),
    lost: (error) => {
      lost.push(error);
      ops.end(error);
    },
  });
  const outcomes: string[] = [];
  const send = (payload: unknown) => {
    ops.send(payload).then(
      ({ seq }) => outcomes.push(`${payload} is ${seq}`),
      ({ code, certainty }) => outcomes.push(`${payload} ${code} ${certainty}`),
    );
  };
  const settle = () => clock.advance(0);
  return { clock, line, ops, lost, peers, outcomes, send, settle };
}

describe('ops on their way', () => {
  it('are sent at once, in order, counted from 1', () => {
    const { line, send } = setUp();
    for (const payload of ['a', 'b', 'c']) send(payload);
    expect(line.take()).toEqual(['1:a', '2:b', '3:c']);
    expect(new Set(line.sent.map(({ peer }) => peer))).toEqual(new Set(['peer0']));
  });

  it('wait while the line has no room, and go on when it has', () => {
    const { line, ops, send } = setUp();
    line.room = 1;
    for (const payload of ['a', 'b']) send(payload);
    expect(line.take()).toEqual(['1:a']);
    line.room = 1;
    line.ack(0);
    expect(line.take()).toEqual(['2:b']);
    expect(ops.waiting).toBe(1);
  });

  it('are sent again with the same counters after the connection was lost', async () => {
    const { line, ops, send, outcomes, settle } = setUp();
    for (const payload of ['a', 'b', 'c']) send(payload);
    line.ack(0);
    line.take();
    line.isUp = false;
    ops.lineDown();
    ops.pump();
    expect(line.take()).toEqual([]);
    line.isUp = true;
    ops.pump();
    expect(line.take()).toEqual(['2:b', '3:c']);
    line.ack(3, 2);
    line.ack(4, 3);
    await settle();
    expect(outcomes).toEqual(['a is 1', 'b is 2', 'c is 3']);
  });

  it.each([
    ['NOT_OWNER', 'definite'],
    ['OVERLOADED', 'definite'],
    ['DEADLINE_EXCEEDED', 'indefinite'],
    ['HANDLER_FAILED', 'indefinite'],
    ['PAYLOAD_INVALID', 'indefinite'],
    ['A_CODE_OF_TOMORROW', 'indefinite'],
  ])('are sent again from the first one after %s (%s), once, and later', async (code, certainty) => {
    const { line, clock, send } = setUp();
    for (const payload of ['a', 'b', 'c']) send(payload);
    line.ack(0);
    line.take();
    line.refuse(1, code, { certainty });
    line.refuse(2, 'OP_GAP', { facts: { expected: 2 } });
    expect(line.take()).toEqual([]);
    await clock.advance(1_000);
    expect(line.take()).toEqual(['2:b', '3:c']);
  });

  it('wait longer after each failure, and a short time again after an ack', async () => {
    const { line, clock, send } = setUp();
    send('a');
    for (const pauseMs of [12.5, 25, 50, 100]) {
      line.refuse(line.sent.length - 1, 'NOT_OWNER');
      const sent = line.sent.length;
      await clock.advance(pauseMs - 1);
      expect(line.sent.length).toBe(sent);
      await clock.advance(1);
      expect(line.sent.length).toBe(sent + 1);
    }
    line.ack(line.sent.length - 1);
    send('b');
    line.refuse(line.sent.length - 1, 'NOT_OWNER');
    const sent = line.sent.length;
    await clock.advance(13);
    expect(line.sent.length).toBe(sent + 1);
  });

  it('take an ack that comes late, for an attempt already given up', async () => {
    const { line, ops, send, outcomes, settle } = setUp();
    for (const payload of ['a', 'b']) send(payload);
    line.refuse(0, 'NOT_OWNER');
    line.ack(1, 9);
    line.ack(0, 8);
    await settle();
    expect(outcomes.sort()).toEqual(['a is 8', 'b is 9']);
    expect(ops.waiting).toBe(0);
  });

  it('go on as a new peer after one is refused for good, so that no late copy can apply', async () => {
    const { line, send, peers, outcomes, settle } = setUp();
    for (const payload of ['a', 'b', 'c', 'd']) send(payload);
    line.take();
    line.refuse(1, 'PAYLOAD_INVALID');
    // The first op is still under way, and must not be overtaken by those behind the refused one.
    expect(line.take()).toEqual([]);
    line.refuse(2, 'OP_GAP', { facts: { expected: 2 } });
    line.ack(0);
    expect(line.take()).toEqual(['1:c', '2:d']);
    expect(line.sent.slice(4).map(({ peer }) => peer)).toEqual(['peer1', 'peer1']);
    expect(peers).toEqual(['peer0 peer1']);
    line.ack(4, 2);
    line.ack(5, 3);
    send('e');
    expect(line.take()).toEqual(['3:e']);
    await settle();
    expect(outcomes.sort()).toEqual(['a is 1', 'b PAYLOAD_INVALID definite', 'c is 2', 'd is 3']);
  });

  it('tell their names before they are sent, and when they go on under others', async () => {
    const { line, ops, settle } = setUp();
    const told: string[] = [];
    for (const payload of ['a', 'b', 'c']) {
      const named = (opId: string) => told.push(`${payload} is ${opId}, ${line.sent.length} sent`);
      ops.send(payload, named).catch(() => {});
    }
    expect(told.splice(0)).toEqual([
      'a is peer0:1, 0 sent',
      'b is peer0:2, 1 sent',
      'c is peer0:3, 2 sent',
    ]);
    line.refuse(0, 'PAYLOAD_INVALID');
    await settle();
    expect(told).toEqual(['b is peer1:1, 3 sent', 'c is peer1:2, 3 sent']);
  });

  it('are not refused for certain when an earlier attempt was not answered', async () => {
    const { line, ops, send, outcomes, settle } = setUp();
    for (const payload of ['a', 'b']) send(payload);
    ops.lineDown();
    ops.pump();
    line.refuse(2, 'STORE_FULL');
    ops.pump();
    line.refuse(line.sent.length - 1, 'STORE_FULL');
    await settle();
    // The second goes on under a name that was never sent before.
    expect(outcomes.sort()).toEqual(['a STORE_FULL indefinite', 'b STORE_FULL definite']);
  });

  it('are lost when the log keeps asking for what it had acknowledged', async () => {
    const { line, clock, send, lost, outcomes } = setUp();
    send('a');
    line.ack(0);
    send('b');
    for (let round = 0; round < 40 && lost.length === 0; round++) {
      line.refuse(line.sent.length - 1, 'OP_GAP', { facts: { expected: 1 } });
      await clock.advance(2_000);
    }
    expect(lost).toMatchObject([{ code: 'LOG_REWOUND' }]);
    expect(outcomes).toEqual(['a is 1', 'b LOG_REWOUND indefinite']);
  });

  it('fail when they end: for certain only those that were never sent', async () => {
    const { line, ops, send, outcomes, settle } = setUp();
    line.room = 1;
    for (const payload of ['a', 'b']) send(payload);
    ops.end(new BackplaneError('CLOSED', 'closed'));
    send('c');
    await settle();
    expect(outcomes.sort()).toEqual([
      'a CLOSED indefinite',
      'b CLOSED definite',
      'c CLOSED definite',
    ]);
  });

  it.each([
    ['a function', () => {}, 'PAYLOAD_INVALID'],
    ['a circle', circle(), 'PAYLOAD_INVALID'],
    ['__proto__', JSON.parse('{"a":{"__proto__":1}}'), 'PAYLOAD_INVALID'],
    ['a million and more characters', 'x'.repeat(1_200_000), 'PAYLOAD_TOO_LARGE'],
  ])('are refused before they are sent when they are %s', async (_, payload, code) => {
    const { line, ops } = setUp();
    await expect(ops.send(payload)).rejects.toMatchObject({ code, certainty: 'definite' });
    expect(line.sent).toEqual([]);
  });
});

function circle(): object {
  const self: Record<string, unknown> = {};
  self.self = self;
  return self;
}
