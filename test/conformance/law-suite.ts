import { describe, test } from 'vitest';

/** What every `open()` answers, whatever it is a fixture of. */
export interface Fixture {
  /** Lets time pass: virtual time moves at once, a real server's time is waited for. */
  pass(ms: number): Promise<void>;
  /** Ends all that `open` started, also what the law opened besides. */
  close(): Promise<void>;
}

/** A law a driver does not keep, and why. It is run all the same and must fail: no stale excuses. */
export interface LawException {
  /** The full name of the law's test. */
  readonly law: string;
  readonly reason: string;
}

export interface LawOptions {
  readonly except?: readonly LawException[];
  /** Every time in a suite is a small multiple of this: raise it where a server is slow. */
  readonly scaleMs?: number;
  /** How long one law may take. */
  readonly timeoutMs?: number;
}

export type DefineLaw<F> = (law: string, hold: (fixture: F) => Promise<void>) => void;

/** One suite of laws, bound to one driver; each law gets a fixture of its own. */
export function lawSuite<F extends Fixture>(
  name: string,
  open: () => Promise<F>,
  options: LawOptions,
  define: (law: DefineLaw<F>, scaleMs: number) => void,
): void {
  const excused = new Set<string>();
  const timeoutMs = options.timeoutMs ?? 20_000;
  describe(name, () => {
    define((law, hold) => {
      const exception = options.except?.find((one) => one.law === law);
      const run = async () => {
        const fixture = await open();
        try {
          await hold(fixture);
        } finally {
          await fixture.close();
        }
      };
      if (!exception) return void test(law, run, timeoutMs);
      excused.add(law);
      test.fails(`${law} (not kept: ${exception.reason})`, run, timeoutMs);
    }, options.scaleMs ?? 100);
    // In here: what is described runs only when the whole file was read.
    const stale = options.except?.find((one) => !excused.has(one.law));
    if (stale) throw new Error(`${name} has no law named "${stale.law}" to except`);
  });
}

/** A part of a fixture that not every driver has. Without it the law fails: except it, with why. */
export function needs<T>(capability: T | undefined, name: string): T {
  if (capability === undefined) throw new Error(`this fixture cannot ${name}`);
  return capability;
}

const patienceMs = 10_000;

/** Waits for a condition, never for a while. */
export async function until(
  fixture: Pick<Fixture, 'pass'>,
  what: string,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  const stepMs = 5;
  for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += stepMs) {
    if (await holds()) return;
    await fixture.pass(stepMs);
  }
  throw new Error(`waited in vain for ${what}`);
}

/** The value of a call that must fail: its error, whatever it is. */
export async function failureOf(call: () => Promise<unknown>): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  throw new Error('the call should have failed, and did not');
}

export async function collect<T>(pages: AsyncIterable<T[]>): Promise<T[]> {
  const all: T[] = [];
  for await (const page of pages) all.push(...page);
  return all;
}

/** Names that a careless driver would mix up: each must be kept apart from every other. */
export const trickyNames: readonly string[] = [
  ...[
    'doc',
    'Doc',
    'DOC',
    ' doc',
    'doc ',
    'doc/1',
    'doc:1',
    'doc%3A1',
    'doc%2F1',
    'doc.1',
    'doc_1',
  ],
  ...[
    'doc*',
    'doc?',
    'doc[1]',
    '{doc}',
    '{}',
    '}doc{',
    "doc'1",
    'doc"1',
    'doc\\1',
    '~doc',
    '~',
    '.',
  ],
  ...['..', '../doc', '%', '%25', '0', '00', '1', '1.0', '1e0', '-1', 'null', '__proto__', 'ünï'],
  ...['u\u0308', '\u00fc', 'constructor', '文档', '🗎', '🗎🗎', 'a=b', 'a?b', 'a>b', '1=x', 'NaN'],
  ...[
    'x'.repeat(512),
    `${'x'.repeat(511)}y`,
    `y${'x'.repeat(511)}`,
    '文'.repeat(170),
    '%'.repeat(512),
  ],
];
