import { PassThrough, Writable } from 'node:stream';
import { expect, test, vi } from 'vitest';
import { JsonLogger } from '../../src/drivers/system/json-logger.ts';
import { SystemClock } from '../../src/drivers/system/system-clock.ts';
import { SystemRandom } from '../../src/drivers/system/system-random.ts';
import type { LogLevel } from '../../src/ports/logger.ts';
import { SeededRandom } from '../../src/verification/seeded-random.ts';
import { clockLaws } from '../conformance/clock.ts';
import { loggerLaws } from '../conformance/logger.ts';
import { randomLaws } from '../conformance/random.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const pass = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const nothing = async () => {};

clockLaws('of the system', async () => {
  // Only the wall clock, so that it can jump; timers and the monotonic clock are the real ones.
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
  const started = { wallMs: Date.now(), monotonicMs: performance.now() };
  let jumpedMs = 0;
  const setWall = () => {
    vi.setSystemTime(started.wallMs + jumpedMs + performance.now() - started.monotonicMs);
  };
  return {
    clock: new SystemClock(),
    pass: async (ms) => {
      await pass(ms);
      setWall();
    },
    jumpWall(byMs) {
      jumpedMs += byMs;
      setWall();
    },
    close: async () => void vi.useRealTimers(),
  };
});

clockLaws('of virtual time', async () => {
  const clock = new VirtualClock();
  return {
    clock,
    pass: (ms) => clock.advance(ms),
    jumpWall: (byMs) => clock.jumpWall(byMs),
    close: nothing,
  };
});

randomLaws('of the system', async () => ({ random: new SystemRandom(), pass, close: nothing }));
randomLaws('of a seed', async () => ({ random: new SeededRandom(7), pass, close: nothing }));

loggerLaws('that writes JSON', async () => {
  const { logger, written } = openLogger('debug');
  return { logger, written, pass, close: nothing };
});

function openLogger(level: LogLevel) {
  const chunks: string[] = [];
  const out = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      chunks.push(String(chunk));
      done();
    },
  });
  const logger = new JsonLogger({ out, clock: new VirtualClock(), level });
  return { logger, written: () => chunks.join('') };
}

test('the system clock gives the time of the machine', () => {
  const before = Date.now();
  const wallMs = new SystemClock().wallMs();
  expect(wallMs).toBeGreaterThanOrEqual(before);
  expect(wallMs).toBeLessThanOrEqual(Date.now());
});

test('a JSON log line has the time, the level, the event and its facts, in this order', () => {
  const { logger, written } = openLogger('info');
  logger.event('warn', 'session.lost', { session: 'abc', at: 'never', level: 'none', n: 1n });
  expect(written()).toBe(
    '{"at":"2026-01-01T00:00:00.000Z","level":"warn","event":"session.lost","session":"abc","n":"1"}\n',
  );
});

test('a JSON log drops events below its level', () => {
  const { logger, written } = openLogger('warn');
  logger.event('debug', 'a');
  logger.event('info', 'b');
  logger.event('warn', 'c');
  logger.event('error', 'd');
  const events = written().trimEnd().split('\n');
  expect(events.map((line) => JSON.parse(line).event)).toEqual(['c', 'd']);
});

test('a JSON log whose reader is too slow drops events, and says how many', async () => {
  const out = new PassThrough({ highWaterMark: 1 });
  const logger = new JsonLogger({ out, clock: new VirtualClock(), level: 'debug' });
  const long = 'x'.repeat(1_000_000);
  for (let i = 0; i < 20; i++) logger.event('info', 'long', { long });
  const lines: string[] = [];
  out.setEncoding('utf8').on('data', (chunk: string) => lines.push(chunk));
  await vi.waitUntil(() => out.writableLength === 0);
  logger.event('info', 'after');
  await vi.waitUntil(() => lines.join('').includes('"after"'));
  const events = lines
    .join('')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const kept = events.filter((one) => one.event === 'long').length;
  const dropped = events.find((one) => one.event === 'log.dropped');
  expect(kept).toBeLessThan(10);
  expect(dropped.events).toBe(20 - kept);
});

test('virtual time fires timers in order and lets chains of promises settle between them', async () => {
  const clock = new VirtualClock();
  const order: string[] = [];
  clock.after(20, () => order.push('20'));
  clock.after(10, async () => {
    order.push('10');
    for (let i = 0; i < 50; i++) await Promise.resolve();
    clock.after(5, () => order.push('15'));
  });
  clock.after(10, () => order.push('10 again'));
  clock.after(31, () => order.push('never'));
  await Promise.all([clock.advance(12), clock.advance(18)]);
  expect(order).toEqual(['10', '10 again', '15', '20']);
  expect(clock.monotonicMs()).toBe(30);
  expect(clock.timersWaiting).toBe(1);
});
