import { describe, expect, test } from 'vitest';
import { sourceFiles } from '../support/source-files.ts';

/**
 * Each rule, and the tests that hold it: those of this folder begin with its number, the others
 * stand where what they test is tested anyway.
 */
const rules: Readonly<Record<string, readonly (readonly [place: string, title: string])[]>> = {
  // Listens on loopback only, else with a token; no other site and no other name gets in.
  S5: [
    ['gateway', 'answers nothing under the Host %j'],
    ['gateway', 'allows no other site to read it'],
    ['gateway', 'shows metrics and details only to those who have the token'],
    ['gateway', 'is beyond loopback with a token, but not with an empty one'],
    ['gateway', 'is closed with 4401 when it shows %s'],
    ['gateway', 'is refused %s'],
    ['cli/bad-input', 'ends serve with 2 when it would listen beyond loopback'],
  ],
  // Only what was registered is called; what operators may do is reached by no method.
  S7: [
    ['runtime/requests', 'knows no method %j that nobody registered'],
    ['runtime/requests', 'does not run control %j for a request, whatever it is called'],
    ['runtime/requests', 'knows no control %j'],
    ['runtime/requests', 'cannot be given a method called %j'],
    ['gateway', 'closes the connection when a message %s'],
    ['cli/bad-input', 'cannot be one of those that run a cluster, or every object has'],
    ['security', 'S8: parameters with keys that nobody asked for are refused'],
  ],
  // No key from the network reaches a prototype.
  S8: [
    ['gateway', 'carries bytes as bytes, and never sends poisonous JSON as JSON'],
    ['cli/bad-input', 'ends op with 2 when a key of it would poison a prototype'],
  ],
  // Nothing that others wrote acts on a terminal.
  S9: [
    ['cli', 'shows what a terminal would act on, and acts on nothing'],
    ['cli', 'is harmless on a terminal, and says the same'],
    ['cli', 'is CSV whose text a terminal does not act on'],
    ['cli/bad-input', 'is not printed by any command with -o %s'],
    ['cli/bad-input', 'is not printed by a live tail with -o %s'],
    ['cli/bad-input', 'that names %s shows it, and acts on nothing'],
  ],
  // One event is one line.
  S11: [
    ['conformance', 'one event is one line whatever the facts hold'],
    ['conformance', 'one event is one line for any text in keys and values'],
    ['cli', 'is one line, whatever its facts hold'],
  ],
  // No name from outside becomes a path.
  S12: [['cli/bad-input', 'ends every command with 2 when it %s']],
  // No name from outside changes what a key or channel means.
  S13: [
    ['runtime/frames', 'has only letters, digits and _ . ~ - %, and a bounded length'],
    ['runtime/frames', 'belongs to one name only'],
    ['conformance', '6. a name is a name: globs and brackets mean nothing'],
  ],
  S14: [],
  S15: [],
  // Everything has a bound, and says so when it is reached.
  S16: [
    ['gateway', 'closes with 1009 and a reason when a message is too large'],
    ['gateway', 'has no more requests under way than it may, in number and in bytes'],
    ['gateway', 'cuts off a peer that does not read, and no other'],
    ['gateway', 'refuses headers beyond 16 KiB'],
    ['runtime/requests', 'refuses more than it can run at once as OVERLOADED'],
    ['runtime/documents', 'are refused as OVERLOADED beyond a limit, and are not stored'],
    ['drivers', 'are refused as OVERLOADED when too many wait'],
    ['operations', "line.type === 'dropped'"],
    ['cli/bad-input', 'ends op with 2 when it is above the limit'],
  ],
  S17: [],
  // A secret is a Secret from the moment it is read.
  S18: [['drivers', 'says that the password is wrong, and shows it nowhere']],
  // Whatever is printed passes the redactor.
  S21: [
    ['cli', 'is in no %s error'],
    ['cli', 'is in no event'],
    ['cli/bad-input', 'ends every command with 3, and is never repeated'],
  ],
  S26: [],
};

const tests = sourceFiles('test', '.ts').filter(
  ({ path }) => path !== 'test/security/rules.test.ts',
);
const holding = (folder: string, text: string) =>
  tests.filter((file) => file.path.startsWith(`test/${folder}/`) && file.text.includes(text));

describe.each(Object.entries(rules))('the security rule %s', (rule, elsewhere) => {
  test('is held by a test', () => {
    expect(holding('security', `'${rule}: `).length + elsewhere.length).toBeGreaterThan(0);
  });

  test.each(elsewhere)('is held in test/%s: %s', (folder, title) => {
    expect(holding(folder, title).map(({ path }) => path)).not.toEqual([]);
  });
});
