import { describe, expect, it } from 'vitest';
import { describeError, type ErrorStyle } from '../../src/cli/error-report.ts';
import { exitCodeOf, exitCodeOfError, exitCodes } from '../../src/cli/exit-codes.ts';
import { createRedactor } from '../../src/cli/redactor.ts';
import { createTerminalLogger } from '../../src/cli/terminal-logger.ts';
import { BackplaneError } from '../../src/foundation/errors.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { Capture, cliWorld } from './support/cli-world.ts';

const canary = 'canary-7f3a';
const args = ['op', 'doc', '{}', '--url', `redis://me:${canary}@10.0.0.1:6379/0`];
const environment = {
  BACKPLANE_URL: `redis://:p%40${canary}@h`,
  BACKPLANE_TOKEN: `token-${canary}`,
  BACKPLANE_STORE: 'memory:',
};
const style: ErrorStyle = {
  output: 'table',
  colour: false,
  debug: false,
  couldChange: true,
  redact: createRedactor(environment, args),
};
const held = new BackplaneError('LEASE_HELD', '"doc:42" is held by node-a', {
  remedy: 'backplane inspect lease doc:42',
  facts: { nodeId: 'node-a', epoch: 3 },
});
const lost = new BackplaneError('BACKPLANE_LOST', 'the connection broke');

describe('an error', () => {
  it('says what happened to what, its code, and the next step', () => {
    expect(describeError(held, style)).toBe(
      'error: "doc:42" is held by node-a [BP-LEASE-HELD]\nhint: backplane inspect lease doc:42\n',
    );
  });

  it('says when a change may have happened, and only then', () => {
    const note = 'it may have happened all the same';
    expect(describeError(lost, style)).toContain(note);
    expect(describeError(lost, { ...style, couldChange: false })).not.toContain(note);
    expect(describeError(held, style)).not.toContain(note);
  });

  it('is one JSON object for programs', () => {
    for (const output of ['json', 'jsonl'] as const) {
      const text = describeError(held, { ...style, output });
      expect(JSON.parse(text)).toEqual({
        schemaVersion: 1,
        error: {
          code: 'BP-LEASE-HELD',
          message: '"doc:42" is held by node-a',
          certainty: 'definite',
          remedy: 'backplane inspect lease doc:42',
          facts: { nodeId: 'node-a', epoch: 3 },
          exitCode: 8,
        },
      });
      expect(text.trimEnd()).not.toContain('\n');
    }
  });

  it('has a stack with --debug only', () => {
    expect(describeError(held, style)).not.toMatch(/\n\s+at /);
    expect(describeError(held, { ...style, debug: true })).toMatch(/\n\s+at /);
    const { error } = JSON.parse(describeError(held, { ...style, debug: true, output: 'json' }));
    expect(error.stack.join('\n')).toMatch(/\n\s+at /);
  });

  it('that is a bug of ours is INTERNAL and exits with 1', () => {
    expect(describeError(new TypeError('x is not a function'), style)).toMatch(
      /^error: x is not a function \[BP-INTERNAL\]\n/,
    );
  });

  it('does nothing to the terminal', () => {
    const nasty = new BackplaneError('NAME_INVALID', 'bad \u001b[2J\r\nname \u202e');
    for (const debug of [false, true]) {
      expect(describeError(nasty, { ...style, debug })).not.toMatch(/[\u001b\r\u202e]/);
    }
  });
});

describe('a secret', () => {
  const cause = Object.assign(new Error(`AUTH me ${canary} failed`), {
    command: { name: 'auth', args: ['me', canary] },
    url: `redis://me:${canary}@10.0.0.1`,
    other: `redis://user:unknown-${canary}@host and p@${canary}, p%40${canary}, token-${canary}`,
  });
  const error = new BackplaneError('AUTH_FAILED', `refused ${canary}`, {
    cause,
    facts: { url: `redis://me:${canary}@10.0.0.1`, token: `token-${canary}` },
    remedy: `check redis://x:${canary}@y`,
  });

  it.each(['table', 'json', 'jsonl', 'yaml'] as const)('is in no %s error', (output) => {
    for (const debug of [false, true]) {
      const text = describeError(error, { ...style, output, debug });
      expect(text).not.toContain(canary);
      expect(text).toContain('***');
    }
  });

  it('is in no event', () => {
    const err = new Capture();
    for (const json of [true, false]) {
      const logger = createTerminalLogger({
        terminal: cliWorld({ err }).terminal,
        clock: new VirtualClock(),
        redact: style.redact,
        colour: false,
        json,
        level: 'debug',
      });
      logger.event('debug', 'broker.asked', { url: `redis://me:${canary}@h`, cause });
    }
    expect(err.text).not.toContain(canary);
  });
});

describe('an event', () => {
  it('is one line, whatever its facts hold', () => {
    for (const json of [true, false]) {
      const err = new Capture();
      const { terminal } = cliWorld({ err });
      const clock = new VirtualClock();
      const options = { terminal, clock, redact: style.redact, colour: false, json };
      const logger = createTerminalLogger({ ...options, level: 'info' });
      logger.event('info', 'x.y', { text: 'a\nb\u2028c\u001b[2J', none: undefined, list: [1] });
      logger.event('debug', 'x.z');
      expect(err.text.split('\n').length).toBe(2);
      expect(err.text).not.toMatch(/[\u001b\u2028]/);
      if (json) expect(JSON.parse(err.text)).toMatchObject({ event: 'x.y', level: 'info' });
    }
  });
});

describe('exit codes', () => {
  it('are of the public table, for every error', () => {
    const known = Object.keys(exitCodes).map(Number);
    for (const [code, exit] of Object.entries(exitCodeOfError)) expect(known, code).toContain(exit);
  });

  it('pass on that of a command that was run for the user', () => {
    const failed = new BackplaneError('COMMAND_FAILED', 'false', { facts: { exitCode: 42 } });
    expect(exitCodeOf(failed)).toBe(42);
    expect(exitCodeOf(new BackplaneError('COMMAND_FAILED', 'it was killed'))).toBe(1);
    expect(exitCodeOf(held)).toBe(8);
  });
});
