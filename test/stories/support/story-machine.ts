import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { BrokerCard } from '../../../src/drivers/embedded/broker-folder.ts';
import { type CommandLine, commandLine, type Ended } from '../../support/command-line.ts';
import { freePort } from '../../support/free-port.ts';
import { type ServedNode, serveNode } from '../../support/serve-node.ts';
import { type LoggedOp, until } from '../../verification/judge.ts';

/** What is installed: an embedded broker is a redis-server, or comes along in WebAssembly. */
export type Installed = 'redis-server' | 'nothing';

export const installations: readonly Installed[] = ['redis-server', 'nothing'];

/**
 * A user's machine: a home of its own, a broker's port of its own, and with `nothing` a PATH where
 * no program is at all. `close` ends what ran on it, and nothing else.
 */
export class StoryMachine {
  readonly home = mkdtempSync(join(tmpdir(), 'backplane-story-'));
  readonly dataDir = join(this.home, 'data', 'backplane');
  readonly brokerPort: number;
  readonly env: Readonly<Record<string, string>>;
  readonly line: CommandLine;
  readonly #nodes: ServedNode[] = [];

  private constructor(brokerPort: number, installed: Installed) {
    this.brokerPort = brokerPort;
    this.env = {
      HOME: this.home,
      XDG_DATA_HOME: join(this.home, 'data'),
      PATH: installed === 'nothing' ? this.home : (process.env.PATH ?? ''),
      BACKPLANE_BROKER_PORT: String(brokerPort),
    };
    this.line = commandLine(this.env);
  }

  static async of(installed: Installed): Promise<StoryMachine> {
    return new StoryMachine(await freePort(), installed);
  }

  /** `backplane serve`, until it says that it is ready. */
  async serve(...args: string[]): Promise<ServedNode> {
    const node = await serveNode({ args, env: this.env });
    this.#nodes.push(node);
    return node;
  }

  run(...args: string[]): Promise<Ended> {
    return this.line.run(...args);
  }

  /** Runs a command that has to succeed, and answers its JSON. */
  async ask(...args: string[]): Promise<Record<string, unknown>> {
    const ended = await this.run(...args, '-o', 'json');
    expect(ended, `backplane ${args.join(' ')}`).toMatchObject({ code: 0, stderr: '' });
    return ended.json();
  }

  async op(doc: string, payload: unknown): Promise<{ seq: number; epoch: number; nodeId: string }> {
    return (await this.ask('op', doc, JSON.stringify(payload))) as never;
  }

  /** What `inspect nodes` lists of one node: its present session, not those that ended. */
  async liveNodes(): Promise<{ nodeId: string; session: string; pid: number }[]> {
    const { nodes } = await this.ask('inspect', 'nodes');
    return (nodes as { nodeId: string; session: string; pid: number; state: string }[]).filter(
      ({ state }) => state === 'live',
    );
  }

  /** The whole log, as any user can read it. */
  async log(doc: string): Promise<LoggedOp[]> {
    const { seq } = await this.ask('inspect', 'doc', doc);
    const args = ['--since', '0', '--type', 'op', '--count', String(seq), '--wait', '10s'];
    const ended = await this.run('tail', doc, ...args, '-o', 'jsonl');
    expect(ended).toMatchObject({ code: 0 });
    return ended.lines().map(({ seq, epoch, opId, payload }) => {
      return { seq, epoch, opId, change: JSON.stringify(payload) } as LoggedOp;
    });
  }

  /** The card of the broker that runs now, or ran last. */
  card(): BrokerCard {
    return JSON.parse(readFileSync(join(this.dataDir, 'broker', 'broker.json'), 'utf8'));
  }

  /** Processes that have to do with this machine's broker, by their command line. */
  brokerProcesses(): { pid: number; command: string }[] {
    const marks = [`--broker-port ${this.brokerPort}`, `127.0.0.1:${this.brokerPort}`];
    return execFileSync('ps', ['-ewwo', 'pid=,args='], { encoding: 'utf8' })
      .split('\n')
      .map((line) => /^\s*(\d+) (.*)$/.exec(line))
      .flatMap((match) => (match ? [{ pid: Number(match[1]), command: match[2] as string }] : []))
      .filter(({ command }) => marks.some((mark) => command.includes(mark)));
  }

  /** The process of the installed server, a child of the broker's. */
  serverPid(): number {
    const server = this.brokerProcesses().find(({ command }) => command.includes('redis-server'));
    expect(server, 'a redis-server of this broker').toBeDefined();
    return (server as { pid: number }).pid;
  }

  async close(): Promise<void> {
    await this.line.stop();
    await Promise.all(this.#nodes.map((node) => node.stop()));
    // A broker ends by itself, but only after its idle time; it is ours as the nodes were.
    for (const { pid } of this.brokerProcesses()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It was faster.
      }
    }
    await until('every process to be gone', () => this.brokerProcesses().length === 0);
    rmSync(this.home, { recursive: true, force: true });
  }
}

/** A test with a machine of its own, which is closed whatever happens. */
export function storyOn(
  installed: Installed,
  name: string,
  tell: (machine: StoryMachine) => Promise<void>,
): void {
  test(name, { timeout: 60_000 }, async () => {
    const machine = await StoryMachine.of(installed);
    try {
      await tell(machine);
    } finally {
      await machine.close();
    }
  });
}
