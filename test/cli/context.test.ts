import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { readContextBook } from '../../src/cli/contexts/context-book.ts';
import { resolveSettings, type Settings } from '../../src/cli/settings.ts';
import type { Engine } from '../../src/ports/engine.ts';
import { runInProcess } from './support/cli-world.ts';

const folder = mkdtempSync(join(tmpdir(), 'backplane-contexts-'));
afterAll(() => rmSync(folder, { recursive: true }));

const file = join(folder, 'deep', 'contexts.json');
const environment = { BACKPLANE_CONTEXTS: file, PROD_REDIS: 'canary-password' };
beforeEach(() => rmSync(join(folder, 'deep'), { recursive: true, force: true }));

/** Runs `backplane context ...`, and expects it to work. */
async function context(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runInProcess(['context', ...args], { environment });
  expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: expect.any(String) });
  return stdout;
}

async function refused(...args: string[]) {
  const { code, stderr } = await runInProcess(['context', ...args], { environment });
  return { code, stderr };
}

const resolve = (flags: object = {}, more: Record<string, string> = {}) =>
  resolveSettings({ ...flags }, { ...environment, ...more }, '/home/somebody');

const addProd = () =>
  context(
    ...['add', 'prod', '--url', 'rediss://ops@redis.example:7000/2', '--prefix', 'prod:'],
    ...['--url-password', 'env:PROD_REDIS', '--gateway-token', `file:${join(folder, 'token')}`],
  );
writeFileSync(join(folder, 'token'), 'canary-token\n');

describe('a context', () => {
  it('fills in what neither a flag nor a variable says', async () => {
    await addProd();
    await context('use', 'prod');
    expect(resolve()).toMatchObject({ prefix: 'prod:', contextName: 'prod' });
    expect(resolve({}, { BACKPLANE_PREFIX: 'env:' }).prefix).toBe('env:');
    expect(resolve({ prefix: 'flag:' }, { BACKPLANE_PREFIX: 'env:' }).prefix).toBe('flag:');
    expect(resolve().origins).toMatchObject({
      prefix: { from: 'context', name: 'prod' },
      store: { from: 'default', name: null },
    });
  });

  it('is chosen by the flag, else the variable, else as the one in use', async () => {
    for (const name of ['a', 'b', 'c']) await context('add', name, '--prefix', `${name}:`);
    expect(resolve().prefix).toBe('backplane:');
    await context('use', 'a');
    expect(resolve().prefix).toBe('a:');
    expect(resolve({}, { BACKPLANE_CONTEXT: 'b' }).prefix).toBe('b:');
    expect(resolve({ context: 'c' }, { BACKPLANE_CONTEXT: 'b' }).prefix).toBe('c:');
    expect(await refused('use', 'bb')).toMatchObject({
      code: 4,
      stderr: expect.stringMatching(/no context is called "bb" \[BP-CONTEXT-UNKNOWN\]/),
    });
  });

  it('does not beat BACKPLANE_MODE, and gives its password to the URL that fits it', async () => {
    await addProd();
    await context('use', 'prod');
    const { engineUrl } = resolve({}, { BACKPLANE_MODE: 'redis' });
    const password = engineUrl.kind === 'redis' ? engineUrl.address.password : null;
    expect(password?.reveal()).toBe('canary-password');
    expect(() => resolve({}, { BACKPLANE_MODE: 'single' })).toThrow(
      'BACKPLANE_MODE is single, but the URL of the context prod is another kind of URL',
    );
  });

  it('goes back and forth with a dash', async () => {
    for (const name of ['a', 'b']) await context('add', name, '--prefix', `${name}:`, '--use');
    await context('-');
    expect(resolve().prefix).toBe('a:');
    await context('use', '-');
    expect(resolve().prefix).toBe('b:');
    await context('rm', 'a');
    expect((await refused('-')).code).toBe(4);
  });

  it('is not replaced by another of its name unless that is asked for', async () => {
    await context('add', 'a', '--prefix', 'one:');
    expect((await refused('add', 'a', '--prefix', 'two:')).code).toBe(8);
    await context('add', 'a', '--prefix', 'two:', '--replace');
    expect(readContextBook(file).contexts.a).toEqual({ prefix: 'two:' });
  });
});

describe('a secret of a context', () => {
  it('is followed from its reference, for the URL and for the nodes', async () => {
    await addProd();
    const { engineUrl, token } = resolve({ context: 'prod' });
    const address = engineUrl.kind === 'redis' ? engineUrl.address : null;
    expect(address).toMatchObject({ username: 'ops', host: 'redis.example', port: 7000, db: 2 });
    expect(address?.password?.reveal()).toBe('canary-password');
    expect(token?.reveal()).toBe('canary-token');
    expect(resolve({ context: 'prod' }, { BACKPLANE_TOKEN: 'other' }).token?.reveal()).toBe(
      'other',
    );
  });

  it('is neither kept nor printed', async () => {
    await addProd();
    await context('use', 'prod');
    const printed = [
      await context('show', '--origin'),
      await context('show', '-o', 'json'),
      await context('ls', '-o', 'wide'),
      JSON.stringify(resolve()),
      readFileSync(file, 'utf8'),
    ].join('\n');
    expect(printed).not.toContain('canary');
    expect(printed).toContain('env:PROD_REDIS');
    expect(statSync(file).mode & 0o077).toBe(0);
  });

  it.each([
    ['--url', 'redis://me:canary@h'],
    ['--url', 'redis://canary@h'],
    ['--url', 'redis://me@h', '--url-password', 'canary'],
    ['--gateway-token', 'canary'],
  ])('is refused where it would be kept: %s %s', async (...args) => {
    const { code, stderr } = await refused('add', 'x', ...args);
    expect(code).toBe(2);
    expect(stderr).toContain('[BP-CONFIG-INVALID]');
    expect(stderr).not.toContain('canary');
  });

  it('that is missing stops what would need it, and nothing else', async () => {
    await context('add', 'a', '--url', 'redis://u@h', '--url-password', 'env:NOWHERE', '--use');
    expect(await context('show', '--origin')).toContain('env:NOWHERE');
    expect((await runInProcess(['version'], { environment })).code).toBe(0);
    const { code, stderr } = await runInProcess(['inspect', 'nodes'], { environment });
    expect(code).toBe(2);
    expect(stderr).toMatch(/env:NOWHERE is not set.*\n.*export NOWHERE/);
    expect((await refused('validate', '--offline')).code).toBe(9);
  });
});

describe('backplane context', () => {
  it('says of each setting where it comes from', async () => {
    await addProd();
    await context('use', 'prod');
    const { settings } = JSON.parse(
      await context('show', '--store', 'memory:', '-o', 'json', '--origin'),
    );
    expect(settings).toEqual(
      expect.arrayContaining([
        { setting: 'context', value: 'prod', from: 'context', name: 'in use' },
        {
          setting: 'url',
          value: 'rediss://***@redis.example:7000/2',
          from: 'context',
          name: 'prod',
        },
        { setting: 'store', value: 'memory:', from: 'flag', name: '--store' },
        { setting: 'urlPassword', value: 'env:PROD_REDIS', from: 'context', name: 'prod' },
      ]),
    );
  });

  it('lists what there is, and says when there is nothing', async () => {
    expect(JSON.parse(await context('ls', '-o', 'json')).contexts).toEqual([]);
    await addProd();
    expect(JSON.parse(await context('ls', '-o', 'json')).contexts).toMatchObject([
      { name: 'prod', current: false, url: 'rediss://ops@redis.example:7000/2' },
    ]);
  });

  it('tries each against the settings it stands for, not those of the shell', async () => {
    await addProd();
    const opened: Settings[] = [];
    const openEngine = async (settings: Settings) => {
      opened.push(settings);
      return { name: 'the Redis of prod', close: async () => {} } as Engine;
    };
    const { code, stdout } = await runInProcess(['context', 'validate', '-o', 'json'], {
      environment: { ...environment, BACKPLANE_URL: 'redis://elsewhere' },
      doors: { openEngine },
    });
    expect(code).toBe(0);
    expect(JSON.parse(stdout).contexts).toMatchObject([{ ok: true, detail: 'the Redis of prod' }]);
    expect(opened.map(({ engineUrl }) => engineUrl.text)).toEqual([
      'rediss://ops:***@redis.example:7000/2',
    ]);
  });

  it('completes the names of contexts', async () => {
    for (const name of ['prod', 'prod-eu', 'dev']) await context('add', name, '--prefix', 'x:');
    const words = ['__complete', '--', 'context', 'use', 'pr'];
    const { stdout } = await runInProcess(words, { environment });
    expect(stdout).toBe('prod\nprod-eu\n');
  });

  it.each([
    '{',
    '[]',
    '{"version":2}',
    '{"version":1,"contexts":{"a":{"odd":"x"}}}',
  ])('says so when its file holds %s', async (text) => {
    await context('add', 'a');
    writeFileSync(file, text);
    const { code, stderr } = await refused('ls');
    expect(code).toBe(2);
    expect(stderr).toContain(file);
  });
});
