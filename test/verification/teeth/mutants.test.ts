import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { projectRoot } from '../../support/source-files.ts';
import { mutants, withEdits } from './support/mutants.ts';
import { drillWithout } from './support/run-tooth.ts';
import { shortScenarios } from './support/short-scenarios.ts';

describe('a mutant', () => {
  test.each(Object.entries(mutants))('finds what it takes out: %s', (_, { edits }) => {
    for (const edit of edits) {
      const path = `${projectRoot}/dist/${edit.file}`;
      expect(existsSync(path), `${path} has not been built`).toBe(true);
      const text = readFileSync(path, 'utf8');
      expect(withEdits(text, [edit])).not.toBe(text);
    }
  });

  test('does not go unnoticed when what it takes out is not there, or there twice', () => {
    const edit = { file: 'x.js', find: 'a', put: 'b' };
    expect(() => withEdits('c', [edit])).toThrow('0 times');
    expect(() => withEdits('aa', [edit])).toThrow('2 times');
    expect(withEdits('cac', [edit])).toBe('cbc');
  });

  test('ends the nodes of a drill that it does not fit', async () => {
    const misfit = drillWithout('misfit', shortScenarios.lostMessages);
    await expect(misfit).rejects.toThrow('main.js has 0 times, and not once');
  }, 60_000);
});
