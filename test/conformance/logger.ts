import fc from 'fast-check';
import { expect } from 'vitest';
import type { Logger } from '../../src/ports/logger.ts';
import { type Fixture, type LawOptions, lawSuite } from './law-suite.ts';

export interface LoggerFixture extends Fixture {
  readonly logger: Logger;
  /** All that was written so far, as it was written. */
  written(): string;
}

const dangerous = /[\p{Cc}\p{Zl}\p{Zp}]/u;

/** The law of `ports/logger.ts`. */
export function loggerLaws(
  name: string,
  open: () => Promise<LoggerFixture>,
  options: LawOptions = {},
): void {
  lawSuite(`the logger ${name}`, open, options, (law) => {
    law('one event is one line whatever the facts hold', async ({ logger, written }) => {
      const circular: Record<string, unknown> = { name: 'loop' };
      circular.self = circular;
      const odd = [
        ...['plain', 'two\nlines', 'a\r\nb', '\u001b[2J\u001b]0;title\u0007', '\u0000\u007f\u009b'],
        ...['\u2028\u2029', '\ud800', null, undefined, Number.NaN, 10n, circular, Symbol('s')],
        ...[() => {}, new Error('bad\nthing'), new Date(Number.NaN), new Uint8Array([10, 13])],
        {
          toJSON() {
            throw new Error('cannot be written');
          },
        },
      ];
      for (const value of odd) {
        const before = written();
        logger.event('error', 'law.tested', { value });
        expectOneLine(written().slice(before.length));
      }
    });

    law('one event is one line for any text in keys and values', async ({ logger, written }) => {
      const anyText = fc.string({ unit: 'binary' });
      fc.assert(
        fc.property(fc.dictionary(anyText, fc.oneof(anyText, fc.jsonValue())), (facts) => {
          const before = written();
          logger.event('warn', 'law.tested', facts);
          expectOneLine(written().slice(before.length));
        }),
        { numRuns: 200 },
      );
    });

    law('the line names the event', async ({ logger, written }) => {
      logger.event('error', 'session.lost', { session: 'abc' });
      expect(written()).toContain('session.lost');
      expect(written()).toContain('abc');
    });
  });
}

function expectOneLine(line: string): void {
  expect(line.endsWith('\n')).toBe(true);
  expect(dangerous.test(line.slice(0, -1)), JSON.stringify(line)).toBe(false);
}
