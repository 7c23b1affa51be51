import { describe, expect, it } from 'vitest';
import { commandTable, hiddenCommands } from '../../src/cli/command-table.ts';
import { leavesOf, loadCommands } from '../../src/cli/load-commands.ts';
import { buildProgram, type GivenValues } from '../../src/cli/program.ts';
import { type ErrorCode, errorCatalogue, publicCode } from '../../src/foundation/errors.ts';
import { runBackplane } from '../support/run-backplane.ts';
import { idleContext, runInProcess } from './support/cli-world.ts';
import { splitShellWords } from './support/split-shell-words.ts';

const context = idleContext();
const leaves = leavesOf(await loadCommands(context));

describe('backplane --help', () => {
  it('is this page', async () => {
    const { code, stdout, stderr } = await runBackplane(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    await expect(stdout).toMatchFileSnapshot('golden/help.txt');
  });

  it('is the same page for -h, help, and no words at all', async () => {
    const page = (await runInProcess(['--help'])).stdout;
    for (const args of [[], ['-h'], ['help'], ['--debug', '--help'], ['help', '--debug']]) {
      expect(await runInProcess(args)).toEqual({ code: 0, stdout: page, stderr: '' });
    }
  });

  it('loads neither the parser nor a driver nor a command', async () => {
    const loaded = await modulesLoaded(['--help']);
    expect(loaded.filter((url) => /node_modules|drivers\/(?!system)|commands\//.test(url))).toEqual(
      [],
    );
    expect(loaded.length).toBeLessThan(30);
  });
});

describe('the help of a command', () => {
  it.each(leaves)('%s shows usage, examples and exits with 0', async (path, leaf) => {
    const words = path.split(' ').slice(1);
    const { code, stdout, stderr } = await runInProcess([...words, '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`Usage: ${path} `);
    for (const { run } of leaf.examples) expect(stdout).toContain(run);
    expect(await runInProcess(['help', ...words])).toEqual({ code, stdout, stderr });
  });

  it.each(leaves)('%s keeps to 80 columns, but for examples', async (path) => {
    const { stdout } = await runInProcess([...path.split(' ').slice(1), '--help']);
    const [page = ''] = stdout.split('\nExamples:');
    expect(page.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it('loads no driver', async () => {
    const loaded = await modulesLoaded(['inspect', 'nodes', '--help']);
    expect(loaded.filter((url) => /ioredis|\/ws\/|valkey|drivers\/(?!system)/.test(url))).toEqual(
      [],
    );
  });
});

describe('an example', () => {
  const examples = leaves.flatMap(([path, { examples }]) =>
    examples.map(({ run }) => [run, path] as const),
  );

  it.each(examples)('%s is a command line that the parser takes', async (run, path) => {
    expect(await commandOf(run)).toBe(path);
  });
});

describe('backplane help', () => {
  it.each(Object.keys(errorCatalogue) as ErrorCode[])('explains %s', async (code) => {
    const { code: exit, stdout } = await runInProcess(['help', publicCode(code).toLowerCase()]);
    expect(exit).toBe(0);
    expect(stdout).toContain(`${publicCode(code)}: ${errorCatalogue[code].meaning}`);
    expect(stdout).toContain(errorCatalogue[code].remedy);
  });

  const topics = ['exit-codes', 'environment', 'errors', 'checks', 'model', 'history'];
  it.each(topics)('explains %s', async (topic) => {
    const { code, stdout } = await runInProcess(['help', topic]);
    expect(code).toBe(0);
    await expect(stdout).toMatchFileSnapshot(`golden/help-${topic}.txt`);
  });
});

/** Which command an example would run. Of a pipeline or redirection only our part is looked at. */
async function commandOf(example: string): Promise<string> {
  let found = '';
  const program = buildProgram(commandTable, hiddenCommands, {
    version: '0',
    columns: 80,
    load: async (entry) => (await entry.load())(context),
    run: async (command, given: GivenValues) => {
      found =
        leaves.find(([, leaf]) => leaf.name === command.name && sameShape(leaf, command))?.[0] ??
        '';
      expect(given).toBeDefined();
    },
    print: () => {},
  });
  const [, ...args] = splitShellWords(example);
  await program.parseAsync(args, { from: 'user' });
  return found;
}

function sameShape(a: { summary: string }, b: { summary: string }): boolean {
  return a.summary === b.summary;
}

/** The modules of ours and of packages that the real binary loads. */
async function modulesLoaded(args: readonly string[]): Promise<string[]> {
  const hook = `import { registerHooks } from 'node:module';
    import { writeSync } from 'node:fs';
    registerHooks({ load(url, context, next) { writeSync(2, 'loaded ' + url + '\\n'); return next(url, context); } });`;
  const environment = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(hook)}` };
  const { stderr } = await runBackplane(args, { environment });
  return stderr
    .split('\n')
    .filter((line) => line.startsWith('loaded file:'))
    .map((line) => line.slice('loaded '.length));
}
