import { describe, expect, it } from 'vitest';
import { runBackplane } from '../../support/run-backplane.ts';
import { type Mutant, mutants } from '../support/mutants.ts';

const hook = new URL('../support/mutated-program.ts', import.meta.url);
const { mutations } = mutants.find(({ name }) => name === 'ops are not deduplicated') as Mutant;
const environment = {
  NODE_OPTIONS: `--import ${hook.href}`,
  MUTATIONS: JSON.stringify(mutations),
};
const patience = { environment, timeoutMs: 600_000 };

/** The first seed that notices that a mechanism is missing in the binary that runs it. */
async function failingSeed(): Promise<string> {
  for (let seed = 1; seed <= 20; seed++) {
    const line = ['sim', '--seed', `${seed}`, '--hours', '0.1', '--nodes', '5', '-o', 'json'];
    const { code, stdout } = await runBackplane(line, patience);
    if (code === 9 && stdout.includes('applied-once')) return `${seed}`;
  }
  throw new Error('no seed notices that ops are not deduplicated');
}

describe('backplane sim --shrink', () => {
  it('names a smaller run that breaks the same law', { timeout: 1_200_000 }, async () => {
    const seed = await failingSeed();
    const line = ['sim', '--seed', seed, '--hours', '0.1', '--nodes', '5', '--shrink'];
    const { code, stdout, stderr } = await runBackplane(line, patience);
    expect(code).toBe(9);
    const [, replay = ''] = /smaller after \d+ attempts: backplane (.+)/.exec(stderr) ?? [];
    expect(stdout).toContain(`seed ${seed}: applied-once`);
    expect(stdout).toContain(`backplane ${replay}`);
    const size = (name: string) => Number(new RegExp(`--${name} ([\\d.]+)`).exec(replay)?.[1]);
    expect(size('nodes') * size('hours')).toBeLessThan(5 * 0.1);
    // The line that it names is one that can be typed, and shows the same once more.
    const again = await runBackplane(replay.split(' '), patience);
    expect(again.code).toBe(9);
    expect(again.stdout).toContain(`seed ${seed}: applied-once`);
    process.stdout.write(`shrunk to ${replay}\n`);
  });
});
