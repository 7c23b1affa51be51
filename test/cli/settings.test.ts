import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { globalOptionList } from '../../src/cli/global-options.ts';
import { leavesOf, loadCommands } from '../../src/cli/load-commands.ts';
import { resolveSettings } from '../../src/cli/settings.ts';
import { wantsColour } from '../../src/cli/wants-colour.ts';
import { isBackplaneError } from '../../src/foundation/errors.ts';
import { idleContext } from './support/cli-world.ts';

const folder = mkdtempSync(join(tmpdir(), 'backplane-settings-'));
afterAll(() => rmSync(folder, { recursive: true }));

const resolve = (flags: object = {}, environment: Record<string, string> = {}) =>
  resolveSettings({ ...flags }, environment, '/home/somebody');

const codeOf = (run: () => unknown) => {
  try {
    run();
  } catch (error) {
    return isBackplaneError(error) ? error.code : error;
  }
  return null;
};

describe('a setting', () => {
  it('comes from the flag, else from the environment, else from the default', () => {
    const environment = { BACKPLANE_PREFIX: 'env:', BACKPLANE_BROKER_PORT: '1234' };
    const settings = resolve({ prefix: 'flag:' }, environment);
    expect(settings).toMatchObject({ prefix: 'flag:', brokerPort: 1234, timeoutMs: 15_000 });
    expect(settings.origins).toMatchObject({
      prefix: { from: 'flag', name: '--prefix' },
      brokerPort: { from: 'environment', name: 'BACKPLANE_BROKER_PORT' },
      timeout: { from: 'default', name: null },
    });
  });

  it('is not set by an empty variable', () => {
    expect(resolve({}, { BACKPLANE_PREFIX: '' }).prefix).toBe('backplane:');
    expect(resolve({}, { BACKPLANE_TOKEN: '' }).token).toBeNull();
  });

  it.each([
    [{ BACKPLANE_MODE: 'single' }, 'local'],
    [{ BACKPLANE_MODE: 'redis', BACKPLANE_URL: 'redis://h' }, 'redis'],
    [{ BACKPLANE_MODE: 'redis', BACKPLANE_URL: 'unix:/r' }, 'redis'],
    [{ BACKPLANE_MODE: '' }, 'embedded'],
  ])('of the mode %j is the engine %s', (environment, kind) => {
    expect(resolve({}, environment as Record<string, string>).engineUrl.kind).toBe(kind);
  });

  it.each([
    [{ BACKPLANE_MODE: 'redis' }, 'CONFIG_INVALID'],
    [{ BACKPLANE_MODE: 'redis', BACKPLANE_URL: 'local:' }, 'CONFIG_INVALID'],
    [{ BACKPLANE_MODE: 'single', BACKPLANE_URL: 'redis://h' }, 'CONFIG_INVALID'],
    [{ BACKPLANE_MODE: 'server' }, 'CONFIG_INVALID'],
    [{ BACKPLANE_MODE: 'server', BACKPLANE_URL: 'http://h' }, 'URL_INVALID'],
    [{ BACKPLANE_MODE: 'constructor' }, 'CONFIG_INVALID'],
  ])('of the mode %j is refused with %s, unless a flag says otherwise', (environment, code) => {
    expect(codeOf(() => resolve({}, environment as Record<string, string>))).toBe(code);
    const settings = resolve({ url: 'redis://flag' }, environment as Record<string, string>);
    expect(settings.engineUrl.kind).toBe('redis');
  });

  it('keeps data in the XDG data folder, unless that is relative', () => {
    expect(resolve().dataDir).toBe('/home/somebody/.local/share/backplane');
    expect(resolve({}, { XDG_DATA_HOME: '/data' }).dataDir).toBe('/data/backplane');
    expect(resolve({}, { XDG_DATA_HOME: 'data' }).dataDir).toContain('/home/somebody');
    expect(resolve({}, { BACKPLANE_DATA_DIR: '/d' }).dataDir).toBe('/d');
  });

  it.each([
    [{ url: 'nonsense' }, 'URL_INVALID'],
    [{ url: 'ftp://x' }, 'URL_INVALID'],
    [{ store: 'nonsense' }, 'URL_INVALID'],
    [{ prefix: 'a{b}' }, 'CONFIG_INVALID'],
    [{ prefix: 'a*' }, 'CONFIG_INVALID'],
    [{ prefix: 'x'.repeat(65) }, 'CONFIG_INVALID'],
    [{ timeout: 0 }, 'USAGE'],
    [{ tokenFile: '/nonexistent' }, 'CONFIG_INVALID'],
  ])('%j is refused with %s', (flags, code) => {
    expect(codeOf(() => resolve(flags))).toBe(code);
  });
});

describe('a secret', () => {
  it('has no flag: the process list would show it', () => {
    const leaves = leavesOf([]);
    expect(leaves).toEqual([]);
    const flags = globalOptionList.map((option) => option.flags).join(' ');
    expect(flags).not.toMatch(/--(password|pass|secret|token)\b(?!-file)/);
  });

  it('has no flag of any command either', async () => {
    const all = leavesOf(await loadCommands(idleContext())).flatMap(([, leaf]) => leaf.options);
    const flags = all.map((option) => option.flags).join(' ');
    expect(flags).not.toMatch(/--(password|pass|secret|token)\b(?!-file)/);
  });

  it('comes from the environment or a file, and cannot be printed', () => {
    const file = join(folder, 'token');
    writeFileSync(file, 'canary-of-the-file\n');
    const fromFile = resolve({ tokenFile: file }, { BACKPLANE_TOKEN: 'other' });
    expect(fromFile.token?.reveal()).toBe('canary-of-the-file');
    const settings = resolve(
      { url: 'redis://me:canary-of-the-url@h' },
      { BACKPLANE_TOKEN: 'canary-3' },
    );
    expect(JSON.stringify([settings, fromFile])).not.toContain('canary');
    expect(settings.engineUrl.text).toBe('redis://me:***@h');
  });

  it('is not taken from an empty file', () => {
    const file = join(folder, 'empty');
    writeFileSync(file, '\n');
    expect(codeOf(() => resolve({ tokenFile: file }))).toBe('CONFIG_INVALID');
  });
});

describe('colour', () => {
  it.each([
    ['auto', {}, true, true],
    ['auto', {}, false, false],
    ['auto', { NO_COLOR: '1' }, true, false],
    ['auto', { NO_COLOR: '' }, true, true],
    ['auto', { TERM: 'dumb' }, true, false],
    ['always', { NO_COLOR: '1' }, false, true],
    ['never', {}, true, false],
  ] as const)('%s with %j on a terminal (%s) is %s', (choice, environment, isTerminal, expected) => {
    expect(wantsColour(choice, environment, isTerminal)).toBe(expected);
  });
});
