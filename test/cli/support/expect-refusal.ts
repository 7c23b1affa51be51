import { expect } from 'vitest';
import type { CommandLine, Ended } from '../../support/command-line.ts';

/** How a command line is to be turned down. */
export interface Refusal {
  readonly exit: number;
  /** `BP-USAGE`. */
  readonly code: string;
  /** Part of the sentence. */
  readonly says: string | RegExp;
  readonly remedy: string | RegExp;
  /** `indefinite`: it may have happened, and the error says so. */
  readonly certainty?: 'definite' | 'indefinite';
}

/** The object that programs get. */
export interface RefusedError {
  readonly code: string;
  readonly message: string;
  readonly certainty: string;
  readonly remedy: string;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly exitCode: number;
}

/**
 * Runs a command line twice, for people and for programs, and expects of both: the exit code,
 * nothing on standard output, and on standard error one sentence with its code and one remedy, or
 * exactly one JSON object that says the same.
 */
export async function expectRefusal(
  cli: Pick<CommandLine, 'run'>,
  args: readonly string[],
  refusal: Refusal,
): Promise<RefusedError> {
  const [people, programs] = await Promise.all([cli.run(...args), cli.run('-o', 'json', ...args)]);
  expectSentence(people, refusal);
  return expectErrorObject(programs, refusal);
}

/**
 * Expects the same of many command lines, of each in turn for people and for programs: starting
 * every one twice would take too long.
 */
export async function expectRefusals(
  cli: Pick<CommandLine, 'run'>,
  lines: readonly (readonly string[])[],
  refusal: Refusal,
): Promise<void> {
  const forPeople = async (args: readonly string[]) =>
    expectSentence(await cli.run(...args), refusal);
  const forPrograms = async (args: readonly string[]) =>
    expectErrorObject(await cli.run('-o', 'json', ...args), refusal);
  for (let at = 0; at < lines.length; at += 2) {
    const [first = [], second] = lines.slice(at, at + 2);
    await Promise.all([forPeople(first), second && forPrograms(second)]);
  }
}

/** What people see: `error: ... [CODE]`, a line of doubt if there is one, `hint: ...`. */
export function expectSentence(ended: Ended, refusal: Refusal): void {
  const { code, stdout, stderr } = ended;
  expect({ code, stdout, stderr }).toEqual({ code: refusal.exit, stdout: '', stderr });
  const [sentence = '', ...rest] = stderr.split('\n');
  expect(sentence).toMatch(/^error: \S.* \[BP-[A-Z-]+\]$/);
  expect(sentence).toContain(`[${refusal.code}]`);
  expectText(sentence, refusal.says);
  const doubt = refusal.certainty === 'indefinite' ? [expect.stringContaining('may have')] : [];
  expect(rest).toEqual([...doubt, expect.stringMatching(/^hint: \S/), '']);
  expectText(rest.at(-2) ?? '', refusal.remedy);
}

/** What programs see: one object on one line. */
export function expectErrorObject(ended: Ended, refusal: Refusal): RefusedError {
  const { code, stdout, stderr } = ended;
  expect({ code, stdout, stderr }).toEqual({ code: refusal.exit, stdout: '', stderr });
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  const report = JSON.parse(stderr);
  expect(report).toMatchObject({
    schemaVersion: 1,
    error: {
      code: refusal.code,
      certainty: refusal.certainty ?? 'definite',
      exitCode: refusal.exit,
    },
  });
  expectText(report.error.message, refusal.says);
  expectText(report.error.remedy, refusal.remedy);
  return report.error;
}

function expectText(text: string, expected: string | RegExp): void {
  if (typeof expected === 'string') expect(text).toContain(expected);
  else expect(text).toMatch(expected);
}
