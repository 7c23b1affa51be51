import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { projectRoot, sourceFiles } from '../support/source-files.ts';

/**
 * Each rule, and the tests that hold it: those of this folder begin with its number, the others
 * stand where what they test is tested anyway.
 */
const rules: Readonly<Record<string, readonly (readonly [file: string, title: string])[]>> = {
  // Listens on loopback only, else with a token; no other site and no other name gets in.
  S5: [
    ['gateway/http.test.ts', 'answers nothing under the Host %j'],
    ['gateway/http.test.ts', 'allows no other site to read it'],
    ['gateway/http.test.ts', 'shows metrics and details only to those who have the token'],
    ['gateway/listen.test.ts', 'is beyond loopback with a token, but not with an empty one'],
    ['gateway/peer-bounds.test.ts', 'is closed with 4401 when it shows %s'],
    ['gateway/peer-bounds.test.ts', 'is refused %s'],
    [
      'cli/bad-input/command-line.test.ts',
      'ends serve with 2 when it would listen beyond loopback',
    ],
  ],
  // Only what was registered is called; what operators may do is reached by no method.
  S7: [
    ['runtime/requests/requests.test.ts', 'knows no method %j that nobody registered'],
    [
      'runtime/requests/requests.test.ts',
      'does not run control %j for a request, whatever it is called',
    ],
    ['runtime/requests/requests.test.ts', 'knows no control %j'],
    ['runtime/requests/requests.test.ts', 'cannot be given a method called %j'],
    ['gateway/peer-bounds.test.ts', 'closes the connection when a message %s'],
    [
      'cli/bad-input/targets.test.ts',
      'cannot be one of those that run a cluster, or every object has',
    ],
    ['security/prototypes.test.ts', 'S8: parameters with keys that nobody asked for are refused'],
  ],
  // No key from the network reaches a prototype.
  S8: [
    ['gateway/peers.test.ts', 'carries bytes as bytes, and never sends poisonous JSON as JSON'],
    ['cli/bad-input/targets.test.ts', 'ends op with 2 when a key of it would poison a prototype'],
  ],
  // Nothing that others wrote acts on a terminal.
  S9: [
    ['cli/output.test.ts', 'shows what a terminal would act on, and acts on nothing'],
    ['cli/output.test.ts', 'is harmless on a terminal, and says the same'],
    ['cli/output.test.ts', 'is CSV whose text a terminal does not act on'],
    ['cli/bad-input/escapes.test.ts', 'is not printed by any command with -o %s'],
    ['cli/bad-input/escapes.test.ts', 'is not printed by a live tail with -o %s'],
    ['cli/bad-input/escapes.test.ts', 'that names %s shows it, and acts on nothing'],
  ],
  // One event is one line.
  S11: [
    ['conformance/logger.ts', 'one event is one line whatever the facts hold'],
    ['conformance/logger.ts', 'one event is one line for any text in keys and values'],
    ['cli/error-report.test.ts', 'is one line, whatever its facts hold'],
  ],
  // No name from outside becomes a path.
  S12: [['cli/bad-input/command-line.test.ts', 'ends %s with 2 when it %s']],
  // No name from outside changes what a key or channel means.
  S13: [
    [
      'runtime/frames/names.test.ts',
      'has only letters, digits and _ . ~ - %, and a bounded length',
    ],
    ['runtime/frames/names.test.ts', 'belongs to one name only'],
    ['conformance/bus.ts', '6. a name is a name: globs and brackets mean nothing'],
  ],
  S14: [],
  S15: [],
  // Everything has a bound, and says so when it is reached.
  S16: [
    ['gateway/peer-bounds.test.ts', 'closes with 1009 and a reason when a message is too large'],
    [
      'gateway/peer-bounds.test.ts',
      'has no more requests under way than it may, in number and in bytes',
    ],
    ['gateway/peer-bounds.test.ts', 'cuts off a peer that does not read, and no other'],
    ['gateway/http.test.ts', 'refuses headers beyond 16 KiB'],
    ['runtime/requests/requests.test.ts', 'refuses more than it can run at once as OVERLOADED'],
    [
      'runtime/documents/appends.test.ts',
      'are refused as OVERLOADED beyond a limit, and are not stored',
    ],
    ['drivers/sqlite.test.ts', 'are refused as OVERLOADED when too many wait'],
    ['operations/follow-documents.test.ts', "line.type === 'dropped'"],
    ['cli/bad-input/targets.test.ts', 'ends op with 2 when it is above the limit'],
  ],
  S17: [],
  // A secret is a Secret from the moment it is read.
  S18: [
    ['drivers/redis-connection.test.ts', 'says that the password is wrong, and shows it nowhere'],
  ],
  // Whatever is printed passes the redactor.
  S21: [
    ['cli/error-report.test.ts', 'is in no %s error'],
    ['cli/error-report.test.ts', 'is in no event'],
    ['cli/bad-input/access-rules.test.ts', 'ends every command with 3, and is never repeated'],
  ],
  S26: [],
};

const own = sourceFiles('test/security', '.test.ts').filter(({ path }) => !/rules/.test(path));

describe.each(Object.entries(rules))('the security rule %s', (rule, elsewhere) => {
  test('is held by a test', () => {
    const here = own.filter(({ text }) => text.includes(`'${rule}: `));
    expect(here.length + elsewhere.length).toBeGreaterThan(0);
  });

  test.each(elsewhere)('is held by test/%s: %s', (file, title) => {
    expect(readFileSync(join(projectRoot, 'test', file), 'utf8')).toContain(title);
  });
});
