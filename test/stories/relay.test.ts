import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { projectRoot } from '../support/source-files.ts';
import { until } from '../verification/judge.ts';
import { type StoryMachine, storyOn } from './support/story-machine.ts';

const readme = readFileSync(join(projectRoot, 'README.md'), 'utf8');
const chapter = /^## Relay\n(.*?)^## /ms.exec(readme)?.[1] ?? '';

/** A program of the chapter, in a project with the package installed. */
class Program {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  output = '';

  constructor(machine: StoryMachine, words: string, args: readonly string[]) {
    const programs = [...chapter.matchAll(/^```js\n(.*?)^```$/gms)].map((match) => match[1] ?? '');
    const text = programs.find((program) => program.includes(words));
    expect(text, `a program in the README with ${words}`).toBeDefined();
    const folder = join(machine.home, words);
    mkdirSync(join(folder, 'node_modules'), { recursive: true });
    symlinkSync(projectRoot, join(folder, 'node_modules', 'backplane'));
    const file = join(folder, 'main.mjs');
    writeFileSync(file, text as string);
    this.#child = spawn(process.execPath, [file, ...args], { env: machine.env, cwd: folder });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (data) => {
        this.output += data;
      });
    }
    this.#ended = once(this.#child, 'exit');
  }

  async says(words: string): Promise<void> {
    await until(
      () => `the program to say ${words}, not ${this.output.slice(-800)}`,
      () => this.output.includes(words),
      20_000,
    );
  }

  /** The frames named in lines like this, in order. */
  frames(line: RegExp): number[] {
    return [...this.output.matchAll(line)].map((match) => Number(match[1]));
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null) this.#child.kill('SIGKILL');
    await this.#ended;
  }
}

const relayOf = async (machine: StoryMachine) => (await machine.ask('inspect', 'relay')).relay;

describe('the relay as the README tells it', () => {
  storyOn('nothing', 'two nodes, a workspace over both, and a kill', async (machine) => {
    const one = await machine.serve('--node-id', 'web-1');
    const two = await machine.serve('--node-id', 'web-2');
    const browser = new Program(machine, 'joinWorkspace', ['notes', one.address]);
    const programs = [browser];
    try {
      await browser.says('DAEMON_UNAVAILABLE\n');
      await browser.says('frame 1 DAEMON_UNAVAILABLE definite');
      const daemon = new Program(machine, 'serveWorkspace', ['notes', two.address, one.address]);
      programs.push(daemon);
      await daemon.says('connected web-2');
      await browser.says('the daemon is there');
      await browser.says('was handled');
      expect(await relayOf(machine)).toMatchObject([
        { workspace: 'notes', nodeId: 'web-2', browsers: 1, browserNodes: ['web-1'], dropped: 0 },
      ]);
      const ping = await machine.ask('relay', 'ping', 'web-1', 'web-2');
      expect(ping).toMatchObject({ from: 'web-1', to: 'web-2', via: 'bus', count: 10 });

      two.kill('SIGKILL');
      await daemon.says('connected web-1');
      const before = daemon.frames(/^heard frame (\d+)$/gm).length;
      await until(
        'frames through the other node',
        () => daemon.frames(/^heard frame (\d+)$/gm).length > before + 5,
        20_000,
      );
      const heard = daemon.frames(/^heard frame (\d+)$/gm);
      expect(heard).toEqual([...new Set(heard)].sort((a, b) => a - b));
      await until(
        'every frame that was handled to be heard',
        () => {
          const handled = browser.frames(/^frame (\d+) was handled$/gm);
          return (
            handled.length > before &&
            handled.every((frame) => daemon.output.includes(`heard frame ${frame}\n`))
          );
        },
        20_000,
      );
      expect(browser.output).not.toContain('RELAY_LOST');
      // Until its session has ended web-2 is asked too, and named as silent.
      const after = await machine.run('inspect', 'relay', '-o', 'json');
      expect(after.json().relay).toMatchObject([{ workspace: 'notes', nodeId: 'web-1' }]);
      if (after.code !== 0)
        expect(after).toMatchObject({ code: 11, stderr: expect.stringContaining('"web-2"') });
      const { code, stderr } = await machine.run('inspect', 'relay', 'drafts');
      expect({ code, stderr }).toMatchObject({
        code: 4,
        stderr: expect.stringContaining('[BP-WORKSPACE-UNKNOWN]'),
      });
    } finally {
      await Promise.all(programs.map((program) => program.stop()));
    }
  });
});
