import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RegionStamps } from '../../../src/runtime/cache/region-stamps.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const stamp = (count: number, token = `t${count}`) => ({ count, token });

function joined(count = 0) {
  const clock = new VirtualClock();
  const stamps = new RegionStamps(clock);
  stamps.adopt(stamp(count), stamps.ask());
  return { clock, stamps };
}

describe('the stamps of a region', () => {
  test('tell a next announcement from one known, a gap and another history', () => {
    const { stamps } = joined(3);
    expect(stamps.heard(stamp(4), 't3')).toBe('next');
    expect(stamps.heard(stamp(4), 't3')).toBe('known');
    expect(stamps.heard(stamp(2), 't1')).toBe('known');
    expect(stamps.heard(stamp(7), 't6')).toBe('gap');
    expect(stamps.heard(stamp(8), 'other')).toBe('rewound');
    expect(stamps.isProved).toBe(false);
  });

  test('know a count that came again with another token for another history', () => {
    const { stamps } = joined(3);
    stamps.heard(stamp(4), 't3');
    stamps.heard(stamp(5), 't4');
    expect(stamps.heard(stamp(4, 'other'), 't3')).toBe('rewound');
    expect(stamps.known).toEqual(stamp(4, 'other'));
  });

  test('are proved by a look that says what was known when it was sent, or was heard since', async () => {
    const { clock, stamps } = joined(3);
    const first = stamps.ask();
    await clock.advance(100);
    stamps.heard(stamp(4), 't3');
    expect(stamps.looked(stamp(3), first)).toBe('confirmed');
    expect(stamps.confirmedAgoMs()).toBe(100);
    const second = stamps.ask();
    stamps.heard(stamp(5), 't4');
    stamps.heard(stamp(6), 't5');
    expect(stamps.looked(stamp(5), second)).toBe('confirmed');
    expect(stamps.confirmedAgoMs()).toBe(0);
  });

  test('wait one look for announcements under way, and call them missed at the next', async () => {
    const { clock, stamps } = joined(3);
    await clock.advance(1_000);
    expect(stamps.looked(stamp(5), stamps.ask())).toBe('pending');
    expect(stamps.confirmedAgoMs()).toBe(1_000);
    stamps.heard(stamp(4), 't3');
    expect(stamps.confirmedAgoMs()).toBe(1_000);
    stamps.heard(stamp(5), 't4');
    expect(stamps.confirmedAgoMs()).toBe(0);
    expect(stamps.looked(stamp(7), stamps.ask())).toBe('pending');
    expect(stamps.looked(stamp(7), stamps.ask())).toBe('gap');
    expect(stamps.known).toEqual(stamp(7));
  });

  test('are proved by nothing once the broker has forgotten, until they are adopted anew', () => {
    const { stamps } = joined(5);
    expect(stamps.looked(stamp(3), stamps.ask())).toBe('rewound');
    expect(stamps.looked(stamp(3), stamps.ask())).toBe('pending');
    expect(stamps.confirmedAgoMs()).toBeNull();
    stamps.adopt(stamp(4, 'x'), stamps.ask());
    expect(stamps.confirmedAgoMs()).toBe(0);
  });

  test('never call what was missed complete, whatever is lost, doubled or late', () => {
    const events = fc.array(
      fc.oneof(
        fc.record({ kind: fc.constant('evict' as const), heard: fc.boolean() }),
        fc.record({ kind: fc.constant('again' as const), back: fc.nat(5) }),
        fc.record({ kind: fc.constant('look' as const), lateBy: fc.nat(3) }),
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(events, (happened) => {
        const { stamps } = joined();
        // What the broker has done, what of it was heard, and since when nothing is missing.
        let done = 0;
        const missed = new Set<number>();
        const looks: { asked: ReturnType<RegionStamps['ask']>; answer: number; dueIn: number }[] =
          [];
        const hear = (count: number) => {
          const heard = stamps.heard(stamp(count), `t${count - 1}`);
          missed.delete(count);
          if (heard === 'gap') missed.clear();
        };
        for (const event of happened) {
          if (event.kind === 'evict') {
            done += 1;
            if (event.heard) hear(done);
            else missed.add(done);
          } else if (event.kind === 'again') {
            const count = done - event.back;
            // What was missed once may come late, too.
            if (count > 0) hear(count);
          } else looks.push({ asked: stamps.ask(), answer: done, dueIn: event.lateBy });
          for (const look of looks.splice(0)) {
            look.dueIn -= 1;
            if (look.dueIn >= 0) {
              looks.push(look);
              continue;
            }
            const said = stamps.looked(stamp(look.answer), look.asked);
            if (said === 'gap') missed.clear();
            const missedByThen = [...missed].some((count) => count <= look.answer);
            if (said === 'confirmed') expect(missedByThen).toBe(false);
          }
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
