import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readScenarioSchema } from '../../src/verification/drills/scenario-schema-file.ts';
import { runBackplane } from '../support/run-backplane.ts';
import { runInProcess } from './support/cli-world.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'backplane-drill-show-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('backplane drill show', () => {
  it('is this page, also of the compiled program', async () => {
    const { code, stdout, stderr } = await runBackplane(['drill', 'show', 'partition-owner']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    await expect(stdout).toMatchFileSnapshot('golden/drill-show.txt');
  });

  it('prints the scenario as it is run to programs, with every default', async () => {
    const { stdout } = await runInProcess(['drill', 'show', 'owner-pause', '-o', 'json']);
    expect(JSON.parse(stdout)).toMatchObject({
      schemaVersion: 1,
      name: 'owner-pause',
      cluster: { nodes: 3, broker: 'any', serve: { 'lease-ttl': '6s' } },
      workload: { documents: 8, ownedBy: 'node-1', requestTimeoutMs: 5_000 },
      budgets: { recoveryMs: 8_000 },
      steps: [{ step: 'run' }, { step: 'fault', fault: 'pause', on: 'owner', forMs: 9_000 }, {}],
    });
  });

  it('prints a scenario as it is written, to begin one of your own with', async () => {
    const { stdout } = await runInProcess(['drill', 'show', 'everything', '--source']);
    const file = join(folder, 'mine.yaml');
    await writeFile(file, stdout.replace('for: 60s', 'for: 5s'));
    const shown = await runInProcess(['drill', 'show', file, '-o', 'json']);
    expect(JSON.parse(shown.stdout).steps[1]).toMatchObject({ step: 'random', forMs: 5_000 });
  });

  it('prints the JSON schema, and only alone', async () => {
    const { code, stdout } = await runBackplane(['drill', 'show', '--schema']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: await readScenarioSchema() });
    const wrong = await runInProcess(['drill', 'show', 'owner-crash', '--schema']);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('[BP-USAGE]');
  });

  it('says every line of a file that is wrong', async () => {
    const file = join(folder, 'wrong.yaml');
    const steps = '  - { fault: puase, on: owner, for: 3s }\n  - { run: 5 }\n';
    await writeFile(file, `name: wrong\nsummary: x\nsteps:\n${steps}`);
    const { code, stdout, stderr } = await runInProcess(['drill', 'show', file]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr.split('\n')).toEqual([
      `error: ${file}:4:14: the fault "puase" is unknown; did you mean pause? [BP-SCENARIO-INVALID]`,
      `       ${file}:5:12: write a duration: a number and a unit, as 250ms or 5s`,
      'hint: compare it with one that can: backplane drill show owner-crash --source',
      '',
    ]);
    const programs = await runInProcess(['drill', 'show', file, '-o', 'json']);
    expect(JSON.parse(programs.stderr).error).toMatchObject({
      code: 'BP-SCENARIO-INVALID',
      facts: {
        problems: [
          { line: 4, column: 14, path: 'steps[0].fault' },
          { line: 5, column: 12 },
        ],
      },
    });
  });

  it('shows what is in a file, and does not act on it', async () => {
    const file = join(folder, 'escape.yaml');
    const text = 'name: "x\\e[2J"\nsummary: x\nsteps: [{ run: "\\e]0;x\\a" }]\n';
    await writeFile(file, text);
    const { stderr } = await runInProcess(['drill', 'show', file]);
    expect(stderr).toContain('"\\e]0;x\\x07" is not a duration');
    expect(stderr).not.toContain('\u001b');
  });

  it('offers the names of scenarios to a shell', async () => {
    const { stdout } = await runInProcess(['__complete', '--', 'drill', 'show', 'owner-']);
    expect(stdout.trim().split('\n')).toEqual(['owner-crash', 'owner-pause']);
  });

  it.each([
    [['owner-crsh'], 4, 'did you mean owner-crash?'],
    [['nothing-like-it'], 4, 'backplane drill list, or a file: .yaml'],
    [[], 2, 'backplane drill list names those'],
    [['gone.yaml'], 2, 'backplane drill list names those'],
  ])('ends with its own code for %j', async (args, exit, remedy) => {
    const { code, stdout, stderr } = await runInProcess(['drill', 'show', ...args]);
    expect({ code, stdout }).toEqual({ code: exit, stdout: '' });
    expect(stderr).toContain(remedy);
  });
});
