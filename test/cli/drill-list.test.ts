import { describe, expect, it } from 'vitest';
import { scenarioNames } from '../../src/verification/drills/scenario-names.ts';
import { runBackplane } from '../support/run-backplane.ts';
import { runInProcess } from './support/cli-world.ts';

describe('backplane drill list', () => {
  it('is this listing, also of the compiled program', async () => {
    const { code, stdout, stderr } = await runBackplane(['drill', 'list']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    await expect(stdout).toMatchFileSnapshot('golden/drill-list.txt');
    expect((await runInProcess(['drill', 'list'])).stdout).toBe(stdout);
  });

  it('names the faults with what they take', async () => {
    const { code, stdout } = await runInProcess(['drill', 'list', '--faults']);
    expect(code).toBe(0);
    await expect(stdout).toMatchFileSnapshot('golden/drill-list-faults.txt');
  });

  it('says the same to programs', async () => {
    const { stdout } = await runInProcess(['drill', 'list', '-o', 'json']);
    const { schemaVersion, scenarios } = JSON.parse(stdout);
    expect(schemaVersion).toBe(1);
    expect(scenarios.map(({ name }: { name: string }) => name)).toEqual(scenarioNames);
    expect(scenarios[0]).toEqual({
      name: 'owner-crash',
      summary: 'the owner of every document is killed, twice, under load',
      aboutMs: expect.any(Number),
      broker: 'any',
      store: 'any',
      nodes: 3,
      documents: 8,
    });
    const faults = JSON.parse(
      (await runInProcess(['drill', 'list', '--faults', '-o', 'json'])).stdout,
    );
    expect(faults.faults[0]).toEqual({
      name: 'kill',
      on: 'node',
      parameters: '',
      summary: 'end the process of a node with SIGKILL, and start it again afterwards',
    });
  });

  it.each(['csv', 'yaml', 'jsonl'])('has a line or more for each as %s', async (format) => {
    const { code, stdout } = await runInProcess(['drill', 'list', '-o', format]);
    expect(code).toBe(0);
    for (const name of scenarioNames) expect(stdout).toContain(name);
  });
});
