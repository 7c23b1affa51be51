import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import { leavesOf, loadCommands } from '../../src/cli/load-commands.ts';
import { manualPages } from '../../src/cli/manual/manual-pages.ts';
import { errorCodes } from '../../src/cli/manual/topics.ts';
import { publicCode } from '../../src/foundation/errors.ts';
import { projectRoot } from '../support/source-files.ts';
import { idleContext, runInProcess } from './support/cli-world.ts';

const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));
const commands = await loadCommands(idleContext());
const pages = manualPages(commands, version);
const folder = mkdtempSync(join(tmpdir(), 'backplane-man-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('the manual', () => {
  it('is committed as the commands are now', () => {
    const committed = readdirSync(join(projectRoot, 'man')).sort();
    expect(committed, 'npm run man').toEqual([...pages.keys()].sort());
    for (const [file, text] of pages) {
      expect(readFileSync(join(projectRoot, 'man', file), 'utf8'), `${file}: npm run man`).toBe(
        text,
      );
    }
  });

  it('has a page for each command, with every option and example', () => {
    for (const node of commands) {
      const page = plain(`backplane-${node.name}.1`);
      for (const [path, leaf] of leavesOf([node])) {
        expect(page).toContain(path);
        for (const { flags } of leaf.options) expect(page).toContain(flags);
        for (const { run } of leaf.examples) expect(page.replace(/\s+/g, ' ')).toContain(run);
      }
    }
  });

  it('names each exit code in backplane.1 and each error in backplane-errors.7', () => {
    const tool = plain('backplane.1');
    for (const [code, text] of Object.entries(exitCodes)) {
      expect(tool).toMatch(new RegExp(`^ +${code} `, 'm'));
      expect(tool.replace(/\s+/g, ' ')).toContain(text);
    }
    const errors = plain('backplane-errors.7');
    for (const code of errorCodes) expect(errors).toContain(publicCode(code));
  });

  it.each([...pages.keys()])('%s is set by groff without a warning', (file) => {
    const { status, stderr } = spawnSync('groff', ['-man', '-ww', '-Tutf8', written(file)], {
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it('prints a page, and says which there are for one that is not', async () => {
    const { code, stdout } = await runInProcess(['man', 'tail']);
    expect(code).toBe(0);
    expect(stdout).toContain('.TH BACKPLANE\\-TAIL 1');
    const wrong = await runInProcess(['man', 'tial']);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('did you mean tail?');
  });

  it('writes every page into a folder, and removes that of a command that is gone', async () => {
    const target = join(folder, 'pages');
    await runInProcess(['man', '--write', target]);
    writeFileSync(join(target, 'backplane-gone.1'), '');
    writeFileSync(join(target, 'other.1'), '');
    const { code, stdout } = await runInProcess(['man', '--write', target]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(readdirSync(target).sort()).toEqual([...pages.keys(), 'other.1'].sort());
  });

  it('says which folder cannot be written', async () => {
    const { code, stderr } = await runInProcess(['man', '--write', '/dev/null/man']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/cannot write pages into "\/dev\/null\/man": ENOTDIR.*\[BP-CONFIG/);
  });
});

function written(file: string): string {
  const path = join(folder, file);
  writeFileSync(path, pages.get(file) ?? '');
  return path;
}

/** A page as a reader sees it, without bold. */
function plain(file: string): string {
  const set = execFileSync('groff', ['-man', '-Tutf8', '-P-cbou', '-rLL=200n', written(file)], {
    encoding: 'utf8',
  });
  return set;
}
