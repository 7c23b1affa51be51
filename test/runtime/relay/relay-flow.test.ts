import { describe, expect, it } from 'vitest';
import { flowBytesMax, RelayArrivals, RelayFlow } from '../../../src/runtime/relay/relay-flow.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const part = flowBytesMax / 4;

/** Two nodes, and what travels between them; `lose` takes what is on its way. */
function link() {
  const clock = new VirtualClock();
  const stops: boolean[] = [];
  let isLosing = false;
  const waiting: number[] = [];
  const flow: RelayFlow = new RelayFlow({
    clock,
    ask: (sent) => {
      if (!isLosing) arrivals.asked(sent);
    },
    changed: () => stops.push(flow.isFull),
  });
  const arrivals = new RelayArrivals(clock, (done) => {
    if (!isLosing) flow.done(done);
  });
  return {
    clock,
    flow,
    stops,
    send: (bytes: number) => {
      const offset = flow.send(bytes);
      if (isLosing) return;
      waiting.push(bytes);
      arrivals.arrived(offset, bytes);
    },
    read: () => arrivals.left(waiting.shift() ?? 0),
    lose: (is: boolean) => {
      isLosing = is;
    },
  };
}

describe('a flow', () => {
  it('stops its sender at the bound, and lets it go on as the reader reads', () => {
    const { send, read, stops, flow } = link();
    for (let at = 0; at < 4; at++) send(part);
    expect(stops).toEqual([true]);
    read();
    expect(stops).toEqual([true, false]);
    expect(flow.underWay).toBe(3 * part);
  });

  it('goes on though a letter and a report were lost', async () => {
    const { send, read, lose, stops, clock, flow } = link();
    lose(true);
    send(part);
    lose(false);
    for (let at = 0; at < 3; at++) send(part);
    expect(stops).toEqual([true]);
    lose(true);
    for (let at = 0; at < 3; at++) read();
    expect(stops).toEqual([true]);
    lose(false);
    await clock.advance(1_000);
    expect(stops).toEqual([true, false]);
    expect(flow.underWay).toBe(0);
  });

  it('tells a little that has left after a while, too', async () => {
    const { send, read, clock, flow } = link();
    send(10);
    read();
    expect(flow.underWay).toBe(10);
    await clock.advance(1_000);
    expect(flow.underWay).toBe(0);
  });

  it('leaves no timer behind', async () => {
    const { send, clock, flow } = link();
    for (let at = 0; at < 4; at++) send(part);
    expect(clock.timersWaiting).toBe(1);
    flow.end();
    expect(clock.timersWaiting).toBe(0);
  });
});
