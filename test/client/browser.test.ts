import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const source = fileURLToPath(new URL('../../src/', import.meta.url));

/** Every module a browser would load with the client, and what each imports from outside. */
function reach(entry: string): Map<string, string[]> {
  const foreign = new Map<string, string[]>();
  const waiting = [join(source, entry)];
  for (let path = waiting.pop(); path; path = waiting.pop()) {
    const name = relative(source, path);
    if (foreign.has(name)) continue;
    const text = readFileSync(path, 'utf8');
    // A type import is gone once compiled.
    const imports = [...text.matchAll(/^(?:import|export)(?! type)[^'"]*?from '([^']+)'/gms)];
    const targets = imports.map(([, target]) => target as string);
    foreign.set(
      name,
      targets.filter((target) => !target.startsWith('.')),
    );
    for (const target of targets) {
      if (target.startsWith('.')) waiting.push(join(dirname(path), target));
    }
  }
  return foreign;
}

describe('the client in a browser', () => {
  it('loads nothing that only Node.js or a package manager has', () => {
    const modules = reach('client/index.ts');
    expect(modules.size).toBeGreaterThan(10);
    expect([...modules].filter(([, imports]) => imports.length > 0)).toEqual([]);
  });

  it('loads the client and the foundation only', () => {
    const rooms = new Set([...reach('client/index.ts').keys()].map((name) => name.split('/')[0]));
    expect([...rooms].sort()).toEqual(['client', 'foundation']);
  });

  it('uses no Buffer and no process', () => {
    for (const name of reach('client/index.ts').keys()) {
      const code = readFileSync(join(source, name), 'utf8').replace(/^\s*(\/?\*|\/\/).*$/gm, '');
      expect(code, name).not.toMatch(/\bBuffer\b|\bprocess\./);
    }
  });
});
