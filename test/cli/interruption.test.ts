import { describe, expect, it } from 'vitest';
import { Interruption } from '../../src/cli/interruption.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

describe('an interrupt of a command that ends by signal', () => {
  it('is not forced by the same keystroke coming twice, but by a second one', async () => {
    const clock = new VirtualClock();
    const interruption = new Interruption(clock);
    interruption.bePatient();
    interruption.interrupt('SIGINT');
    interruption.interrupt('SIGINT');
    expect(interruption.isForced).toBe(false);
    await clock.advance(30_000);
    expect(interruption.isForced).toBe(false);
    interruption.interrupt('SIGINT');
    expect(interruption.isForced).toBe(true);
    await interruption.forced;
  });
});

describe('an interrupt of any other command', () => {
  it('is forced by a second one at once, and by time', async () => {
    const clock = new VirtualClock();
    const insisted = new Interruption(clock);
    insisted.interrupt('SIGINT');
    insisted.interrupt('SIGINT');
    expect(insisted.isForced).toBe(true);
    const late = new Interruption(clock);
    late.interrupt('SIGTERM');
    await clock.advance(2_000);
    expect(late.isForced).toBe(true);
    for (const each of [insisted, late]) each.close();
  });
});
