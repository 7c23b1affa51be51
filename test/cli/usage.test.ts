import { describe, expect, it } from 'vitest';
import type { CommandDefinition } from '../../src/cli/command-definition.ts';
import { commandTable } from '../../src/cli/command-table.ts';
import { leavesOf, loadCommands } from '../../src/cli/load-commands.ts';
import { runBackplane } from '../support/run-backplane.ts';
import { idleContext, runInProcess } from './support/cli-world.ts';

const commands = await loadCommands(idleContext());
const leaves = leavesOf(commands);
const words = (path: string) => path.split(' ').slice(1);

/** Values for the required arguments, so that only what a test adds is wrong. */
const filled = (leaf: CommandDefinition) =>
  leaf.arguments
    .filter(({ presence }) => presence === 'required' || presence === 'rest')
    .map(({ name, completes }) => (Array.isArray(completes) ? completes[0] : `doc:${name}`));

describe.each(leaves)('%s', (path, leaf) => {
  it('refuses a flag it does not know with 2 and a remedy', async () => {
    const { code, stdout, stderr } = await runInProcess([
      ...words(path),
      ...filled(leaf),
      '--bogus',
    ]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('unknown option "--bogus" [BP-USAGE]');
    expect(stderr).toContain(`${path} --help`);
  });

  it('refuses arguments that are missing or too many with 2', async () => {
    const required = filled(leaf).length;
    const isOpen = leaf.arguments.some(({ presence }) => presence.startsWith('rest'));
    const args = required > 0 ? [] : isOpen ? null : Array(leaf.arguments.length + 1).fill('x');
    if (args === null) return;
    const { code, stdout, stderr } = await runInProcess([...words(path), ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/(missing required argument|too many arguments).*\[BP-/);
  });

  it('refuses a format that does not exist with 2, and says which do', async () => {
    const { code, stderr } = await runInProcess([...words(path), ...filled(leaf), '-o', 'xml']);
    expect(code).toBe(2);
    expect(stderr).toContain('"xml" is none of table, wide, json');
  });
});

describe('the command line', () => {
  it.each([
    [['srve'], 'unknown command "srve"', 'did you mean serve?'],
    [['inspect', 'node', 'x', '--colour', 'never'], '"--colour"', 'did you mean --color?'],
    [['inspect', 'nods'], 'unknown inspect command "nods"', 'did you mean nodes?'],
    [['inspect', 'nods', '--help'], 'unknown inspect command "nods"', 'did you mean nodes?'],
    [['nothing-like-it'], 'unknown command "nothing-like-it"', 'backplane --help'],
    [['--prefx', 'x'], 'unknown option "--prefx"', 'did you mean --prefix?'],
    [['inspect'], '"backplane inspect" needs one of: nodes', 'backplane inspect --help'],
    [['--timeout', '5', 'version'], '--timeout: "5" is not a duration', '250ms, 30s'],
    [['--url'], 'argument missing', 'backplane --help'],
    [['version', '--url', 'ftp://x'], 'no engine has the scheme "ftp:"', 'use redis://'],
    [['version', '--url', 'nonsense'], 'the value of --url is not a URL', 'use redis://'],
    [['version', '--prefix', '{x}'], '"{x}" is not a key prefix', '--prefix myapp:'],
    [['version', '-o', 'csv'], '"version" cannot print csv', 'use --output json'],
    [['help', 'BP-NOT-THERE-AT-ALL'], 'no error code "BP-NOT', 'backplane help errors'],
    [['help', 'bp-lease-hold'], 'no error code "bp-lease-hold"', 'did you mean BP-LEASE-HELD?'],
  ])('%j ends with 2, one sentence, and a way on', async (args, sentence, remedy) => {
    const { code, stdout, stderr } = await runInProcess(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    const [error, hint, ...more] = stderr.split('\n');
    expect(error).toContain(sentence);
    expect(error).toMatch(/^error: .*\[BP-[A-Z-]+\]$/);
    expect(hint).toContain(remedy);
    expect(more).toEqual(['']);
  });

  it('says misuse as JSON when JSON was asked for, wherever the flag stands', async () => {
    for (const args of [
      ['-o', 'json', 'srve'],
      ['srve', '--output=jsonl'],
    ]) {
      const { code, stdout, stderr } = await runInProcess(args);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(JSON.parse(stderr)).toMatchObject({
        schemaVersion: 1,
        error: { code: 'BP-USAGE', certainty: 'definite', exitCode: 2 },
      });
    }
  });

  it('takes a variable for a flag, and names the variable when it is wrong', async () => {
    const environment = { BACKPLANE_TIMEOUT: 'soon' };
    const { code, stderr } = await runInProcess(['version'], { environment });
    expect(code).toBe(2);
    expect(stderr).toContain('BACKPLANE_TIMEOUT: "soon" is not a duration');
    const beaten = await runInProcess(['version', '--timeout', '1s'], { environment });
    expect(beaten.code).toBe(0);
  });

  it('ends the real binary with 2 as well', async () => {
    const { code, stdout, stderr } = await runBackplane(['inspect', 'nodes', '--bogus']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('[BP-USAGE]');
  });
});

describe('the command table', () => {
  it('says of each command what the command says of itself', () => {
    const table = commandTable.map(({ name, summary }) => [name, summary]);
    expect(table).toEqual(commands.map(({ name, summary }) => [name, summary]));
  });

  it.each(leaves)('%s has a description, and examples of itself', (path, leaf) => {
    expect(leaf.summary).toMatch(/^[a-z].*[^.]$/);
    expect(leaf.description.length).toBeGreaterThan(0);
    expect(leaf.examples.length).toBeGreaterThanOrEqual(2);
    for (const { run } of leaf.examples) expect(run).toContain(path);
  });
});
