import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { startRedisServer } from '../support/redis-server.ts';
import { projectRoot } from '../support/source-files.ts';
import { until } from '../verification/judge.ts';
import { type StoryMachine, storyOn } from './support/story-machine.ts';

const readme = readFileSync(join(projectRoot, 'README.md'), 'utf8');

/** The program of the README that contains these words. */
function printedProgram(words: string): string {
  const programs = [...readme.matchAll(/^```js\n(.*?)^```$/gms)].map((match) => match[1] ?? '');
  const program = programs.find((text) => text.includes(words));
  expect(program, `a program in the README with ${words}`).toBeDefined();
  return program as string;
}

/** A user's project with the package installed, and this program running in it. */
class Application {
  readonly ended: Promise<number | string>;
  readonly #child: ChildProcess;
  output = '';

  constructor(machine: StoryMachine, name: string, program: string) {
    const folder = join(machine.home, name);
    mkdirSync(join(folder, 'node_modules'), { recursive: true });
    symlinkSync(projectRoot, join(folder, 'node_modules', 'backplane'));
    const file = join(folder, 'main.mjs');
    writeFileSync(file, program);
    this.#child = spawn(process.execPath, [file], { env: machine.env, cwd: folder });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (data) => {
        this.output += data;
      });
    }
    this.ended = once(this.#child, 'exit').then(([code, signal]) => code ?? signal);
  }

  async says(words: string): Promise<void> {
    await until(
      () => `the program to say ${words}, not ${this.output}`,
      () => this.output.includes(words),
      20_000,
    );
  }

  /** It stops its node when it is told to end; nothing of the node may keep it alive then. */
  async endsSoon(): Promise<void> {
    const startedMs = performance.now();
    this.#child.kill('SIGTERM');
    expect(await this.ended).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(4_000);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null) this.#child.kill('SIGKILL');
    await this.ended;
  }
}

describe('an application', () => {
  storyOn('redis-server', 'embeds a node as the README prints it', async (machine) => {
    const redis = await startRedisServer();
    const program = printedProgram('createNode').replace('redis://127.0.0.1:6379', redis.url);
    const application = new Application(machine, 'application', program);
    try {
      await application.says('counter: 1');
      const url = ['--url', redis.url];
      const { nodes } = await machine.ask('inspect', 'nodes', ...url);
      expect(nodes).toMatchObject([{ nodeId: 'web-1', state: 'live', address: null }]);
      const greeting = await machine.ask('rpc', 'doc:doc-123', 'greet', '"you"', ...url);
      expect(greeting).toMatchObject({
        replies: [{ nodeId: 'web-1', ok: true, payload: expect.stringContaining('hello') }],
      });
      await machine.ask('op', 'doc-123', '{"n":2}', ...url);
      await application.says('seq: 2');
      await application.endsSoon();
    } finally {
      await application.stop();
      await redis.stop();
    }
  });

  storyOn('nothing', 'embeds a node with nothing installed, next to others', async (machine) => {
    const application = new Application(
      machine,
      'application',
      `import { createNode } from 'backplane';
       const node = await createNode({ nodeId: 'app', brokerPort: ${machine.brokerPort}, gateway: {} });
       console.log('address', node.address);
       process.once('SIGTERM', () => node.stop());`,
    );
    try {
      await application.says('address http://127.0.0.1:');
      const served = await machine.serve('--node-id', 'served');
      const ids = (await machine.liveNodes()).map(({ nodeId }) => nodeId).sort();
      expect(ids).toEqual(['app', 'served']);
      await application.endsSoon();
      expect((await machine.liveNodes()).map(({ nodeId }) => nodeId)).toEqual([served.nodeId]);
    } finally {
      await application.stop();
    }
  });

  storyOn('nothing', 'is a peer as the README prints it', async (machine) => {
    const [one, two] = [await machine.serve(), await machine.serve()];
    const program = printedProgram('backplane/client')
      .replace('http://127.0.0.1:7420', one.address)
      .replace('http://127.0.0.1:7422', two.address);
    const application = new Application(machine, 'peer', program);
    try {
      await application.says("1 { title: 'hello' }");
      const next = await machine.op('doc-123', { title: 'from elsewhere' });
      expect(next.seq).toBe(2);
      await application.says("2 { title: 'from elsewhere' }");
    } finally {
      await application.stop();
    }
  });
});
