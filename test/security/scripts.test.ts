import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { projectRoot, sourceFiles } from '../support/source-files.ts';

const scripts = sourceFiles('src/drivers/redis/scripts', '.lua');
const uncommented = (text: string) => text.replace(/--.*$/gm, '');

describe('a script that runs in Redis', () => {
  test.each(
    scripts.map(({ path, text }) => [path, uncommented(text)] as const),
  )('S26: %s takes values as arguments only: every key and channel is a KEYS or ARGV', (_path, text) => {
    const calls = [...text.matchAll(/redis\.p?call\(\s*'([A-Z]+)'\s*(?:,\s*([^,)\s]+))?/g)];
    expect(calls.length).toBeGreaterThan(0);
    for (const [call, verb, first] of calls) {
      if (verb === 'TIME') continue;
      expect(first, call).toMatch(/^(KEYS\[\d\]|ARGV\[\d\])$/);
    }
    // The name of a command is a constant, and no text is ever turned into code.
    expect(text.match(/redis\.p?call\(/g)).toHaveLength(calls.length);
    expect(text).not.toMatch(/\b(loadstring|load|dofile|setfenv|getfenv|_G)\b/);
  });

  test('S26: is a file of ours, sent as it is: nothing composes one', () => {
    const evaluating = /EVAL|FUNCTION LOAD|FCALL|'SCRIPT'/;
    // The proxy of a drill reads these words in what passes by; it sends none.
    const reads = 'src/verification/drills/proxy/command-words.ts';
    const files = sourceFiles('src', '.ts').filter(
      ({ code, path }) => evaluating.test(code) && path !== reads,
    );
    expect(files.map(({ path }) => path)).toEqual([
      'src/drivers/redis/redis-engine.ts',
      'src/drivers/redis/redis-scripts.ts',
    ]);
    const [engine = '', scriptsFile = ''] = files.map(({ code }) => code);
    // To find out whether the server has scripts at all.
    expect(engine.match(/args: \[([^\]]*)\]/g)).toContain("args: ['return 1', 0]");
    // The only text is that of a file whose name is from a fixed list.
    expect(scriptsFile).toMatch(/readFileSync\(new URL\(`\.\/scripts\/\$\{name\}\.lua`/);
    expect(scriptsFile).toMatch(/readonly text: string;\s+readonly sha1: string;/);
    // Some stand in two lists.
    const listed = [...scriptsFile.matchAll(/^ {2}'([a-z-]+)',$/gm)].map(([, name]) => name);
    const names = [...new Set(listed)];
    expect(scripts.map(({ path }) => path)).toEqual(
      names.map((name) => `src/drivers/redis/scripts/${name}.lua`),
    );
  });

  test('S26: of SQLite is a constant too: no value is ever written into a statement', () => {
    const sql = /`[^`]*\b(SELECT|INSERT|UPDATE|DELETE|PRAGMA|CREATE)\b[^`]*\$\{([^}]*)\}[^`]*`/g;
    const files = sourceFiles('src/drivers/sqlite', '.ts');
    const values = files.flatMap(({ text }) => [...text.matchAll(sql)].map(([, , value]) => value));
    // Numbers of our own, known when the program is written.
    const isNumber = (name = '') =>
      files.some(({ code }) => new RegExp(`const ${name} = [\\dx_a-f]+;`, 'i').test(code));
    expect(values.filter((value) => !isNumber(value))).toEqual([]);
  });

  test('S26: is what the package ships, byte for byte', () => {
    for (const { path, text } of scripts) {
      const shipped = path.replace(/^src/, 'dist');
      expect(readFileSync(join(projectRoot, shipped), 'utf8')).toBe(text);
    }
  });
});
