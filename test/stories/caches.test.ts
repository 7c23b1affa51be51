import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { projectRoot } from '../support/source-files.ts';
import { until } from '../verification/judge.ts';
import { installations, type StoryMachine, storyOn } from './support/story-machine.ts';

const readme = readFileSync(join(projectRoot, 'README.md'), 'utf8');

/** The program under "Caches", on the broker of this machine. */
function printedProgram({ brokerPort }: StoryMachine): string {
  const section = readme.slice(readme.indexOf('\n## Caches\n'));
  const program = /^```js\n(.*?)^```$/ms.exec(section)?.[1] ?? '';
  expect(program).toContain('createCache');
  return program.replace('createNode({', `createNode({ brokerPort: ${brokerPort},`);
}

/** Two nodes of the application of the README, in one folder. */
class Applications {
  readonly folder: string;
  readonly #machine: StoryMachine;
  readonly #children = new Map<string, ChildProcess>();
  readonly #said = new Map<string, string>();

  constructor(machine: StoryMachine) {
    this.#machine = machine;
    this.folder = join(machine.home, 'application');
    mkdirSync(join(this.folder, 'node_modules'), { recursive: true });
    symlinkSync(projectRoot, join(this.folder, 'node_modules', 'backplane'));
    writeFileSync(join(this.folder, 'app.mjs'), printedProgram(machine));
  }

  source(name: string): void {
    writeFileSync(join(this.folder, 'user-42.txt'), `${name}\n`);
  }

  start(nodeId: string): void {
    const args = ['app.mjs', nodeId];
    const child = spawn(process.execPath, args, { env: this.#machine.env, cwd: this.folder });
    this.#children.set(nodeId, child);
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data) => {
        this.#said.set(nodeId, (this.#said.get(nodeId) ?? '') + data);
      });
    }
  }

  async serves(nodeId: string, name: string): Promise<void> {
    const line = `${nodeId} serves ${name}\n`;
    const said = () => this.#said.get(nodeId) ?? '';
    await until(
      () => `${line.trim()}, not ${said()}`,
      () => said().endsWith(line),
      20_000,
    );
  }

  async end(nodeId: string, signal: NodeJS.Signals): Promise<number | string> {
    const child = this.#children.get(nodeId) as ChildProcess;
    this.#children.delete(nodeId);
    child.kill(signal);
    const [code, by] = await once(child, 'exit');
    return code ?? by;
  }

  async close(): Promise<void> {
    for (const nodeId of [...this.#children.keys()]) await this.end(nodeId, 'SIGKILL');
  }
}

describe('two nodes with a cache', () => {
  for (const installed of installations) {
    storyOn(installed, `evict together, and after a kill, with ${installed}`, async (machine) => {
      const apps = new Applications(machine);
      const { run, ask } = machine;
      const probe = ['cache', 'probe', 'user:42', '--region', 'users'];
      const evict = ['cache', 'evict', 'user:42', '--region', 'users'];
      try {
        apps.source('Ada');
        apps.start('web-1');
        apps.start('web-2');
        for (const nodeId of ['web-1', 'web-2']) await apps.serves(nodeId, 'Ada');
        apps.source('Bea');
        const before = await ask.call(machine, ...probe);
        expect(before).toMatchObject({
          nodes: [{ verdict: 'current' }, { verdict: 'current' }],
          stamp: 0,
        });
        const evicted = await run.call(machine, ...evict);
        expect(evicted.stdout).toBe('users: evicted user:42, eviction 1 of the region\n');
        for (const nodeId of ['web-1', 'web-2']) await apps.serves(nodeId, 'Bea');
        const { caches } = await ask.call(machine, 'inspect', 'cache');
        expect(caches).toMatchObject([
          { nodeId: 'web-1', evictionsHeard: 1, echoFactor: 1, gaps: 0, flushes: 0 },
          { nodeId: 'web-2', evictionsHeard: 1, echoFactor: 1, gaps: 0, flushes: 0 },
        ]);
        await apps.end('web-1', 'SIGKILL');
        apps.source('Cleo');
        expect(await run.call(machine, ...evict)).toMatchObject({ code: 0 });
        await apps.serves('web-2', 'Cleo');
        const after = await run.call(machine, ...probe);
        expect(after).toMatchObject({ code: 11 });
        expect(after.stdout).toMatch(/^web-2 +current .* eviction 2$/m);
        expect(after.stdout).toMatch(/^web-1 +did not answer$/m);
        expect(after.stderr).toContain('no answer from web-1 [BP-PARTIAL]');
        expect(await apps.end('web-2', 'SIGTERM')).toBe(0);
      } finally {
        await apps.close();
      }
    });
  }
});
