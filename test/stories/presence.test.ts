import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { projectRoot } from '../support/source-files.ts';
import { until } from '../verification/judge.ts';
import { installations, type StoryMachine, storyOn } from './support/story-machine.ts';

const readme = readFileSync(join(projectRoot, 'README.md'), 'utf8');

/** The program under "Presence and invocations", as it is printed. */
function printedProgram(): string {
  const section = readme.slice(readme.indexOf('\n## Presence and invocations\n'));
  const program = /^```js\n(.*?)^```$/ms.exec(section)?.[1] ?? '';
  expect(program).toContain("from 'backplane/client'");
  return program;
}

/** The clients of the README, in one folder. */
class Clients {
  readonly #folder: string;
  readonly #machine: StoryMachine;
  readonly #children = new Map<string, ChildProcess>();
  readonly #said = new Map<string, string>();

  constructor(machine: StoryMachine) {
    this.#machine = machine;
    this.#folder = join(machine.home, 'clients');
    mkdirSync(join(this.#folder, 'node_modules'), { recursive: true });
    symlinkSync(projectRoot, join(this.#folder, 'node_modules', 'backplane'));
    writeFileSync(join(this.#folder, 'client.mjs'), printedProgram());
  }

  start(user: string, ...urls: string[]): void {
    const args = ['client.mjs', user, ...urls];
    const child = spawn(process.execPath, args, { env: this.#machine.env, cwd: this.#folder });
    this.#children.set(user, child);
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data) => {
        this.#said.set(user, (this.#said.get(user) ?? '') + data);
      });
    }
  }

  async says(user: string, text: string): Promise<void> {
    const said = () => this.#said.get(user) ?? '';
    await until(
      () => `${user} to say ${text}, not ${said()}`,
      () => said().includes(text),
      20_000,
    );
  }

  async close(): Promise<void> {
    for (const child of this.#children.values()) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }
}

interface Row {
  readonly id: string;
  readonly user: string;
  readonly nodeId: string;
}

describe('two nodes with connections', () => {
  for (const installed of installations) {
    storyOn(installed, `reach them all, and after a kill, with ${installed}`, async (machine) => {
      const clients = new Clients(machine);
      const run = (...args: string[]) => machine.run(...args);
      const ask = (...args: string[]) => machine.ask(...args);
      const connections = async () => (await ask('inspect', 'connections')).connections as Row[];
      try {
        const first = await machine.serve('--node-id', 'web-1');
        const second = await machine.serve('--node-id', 'web-2');
        clients.start('ann', first.address, second.address);
        clients.start('bob', second.address, first.address);
        await clients.says('ann', 'is connected web-1');
        await clients.says('bob', 'is connected web-2');
        await until('both to be listed', async () => (await connections()).length === 2, 10_000);
        const before = (await connections()).find(({ user }) => user === 'ann') as Row;

        const sent = await run('send', 'user:ann', '{"hi":"ann"}');
        expect(sent).toMatchObject({ code: 0, stdout: 'delivered to 1 connection on web-1\n' });
        await clients.says('ann', "ann heard { hi: 'ann' }");
        const all = await ask('invoke', 'group:editors', 'where', '--all');
        const answers = (all.answers as { nodeId: string; payload: unknown }[]).map(
          ({ nodeId, payload }) => `${nodeId} ${payload}`,
        );
        expect(answers.sort()).toEqual(['web-1 on web-1', 'web-2 on web-2']);
        const joined = await run('conn', 'join', before.id, 'reviewers');
        expect(joined.stdout).toBe(`${before.id} of ann on web-1 is in editors, reviewers\n`);

        first.kill('SIGKILL');
        await clients.says('ann', 'is connected web-2');
        const after = await run('invoke', 'group:editors', 'where', '--all', '-o', 'json');
        const told = after.json().answers as { connection: string; status: string }[];
        const gone = told.find(({ connection }) => connection === before.id);
        // Whoever looks a moment later finds it gone already.
        if (gone)
          expect({ ...gone, code: after.code }).toMatchObject({ status: 'vanished', code: 11 });
        expect(told.filter(({ status }) => status === 'ok')).toHaveLength(2);
        await until('the ghost to go', async () => (await connections()).length === 2, 10_000);
        const rows = (await connections()).map(({ user, nodeId }) => `${user} ${nodeId}`).sort();
        expect(rows).toEqual(['ann web-2', 'bob web-2']);

        const nobody = await run('send', 'user:eve', '"hello"');
        expect(nobody.code).toBe(4);
        expect(nobody.stderr).toContain('[BP-USER-UNKNOWN]');
        // What web-1 had registered lies in the broker until somebody sweeps it.
        const agrees = async () => (await run('inspect', 'presence', '--diff')).code === 0;
        await until('all to agree', agrees, 40_000);
      } finally {
        await clients.close();
      }
    });
  }
});
