import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Duplex, Readable } from 'node:stream';
import type { Clock } from '../../../ports/clock.ts';
import { AgentLink } from './agent-link.ts';

/** What is kept of what a node says to people. */
const complaintsLengthMax = 8_192;

export type NodeLine = Readonly<Record<string, unknown>>;

export interface LifeOptions {
  readonly nodeId: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Every line it writes; they are JSON objects. */
  heard(line: NodeLine): void;
}

/** One process of a node, from its start to its end. */
export class NodeLife {
  /** Undefined when it could not even be started. */
  readonly pid: number | undefined;
  readonly agent: AgentLink;
  /** The exit code, or the name of the signal that ended it, or why it did not start. */
  readonly ended: Promise<number | string>;
  /** Null while it lives. */
  end: number | string | null = null;
  #complaints = '';
  readonly #child: ChildProcess;

  constructor(options: LifeOptions) {
    const [program = '', ...args] = options.command;
    // Detached, because Ctrl-C reaches a whole group of processes, and only the drill may break it.
    this.#child = spawn(program, args, {
      env: { ...options.environment },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      detached: true,
    });
    this.pid = this.#child.pid;
    const [, out, errors, channel] = this.#child.stdio;
    this.agent = new AgentLink(options.nodeId, channel as Duplex, options.clock);
    this.ended = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(error.message));
      this.#child.once('exit', (code, signal) => resolve(code ?? signal ?? 0));
    });
    void this.ended.then((end) => {
      this.end = end;
      this.agent.close();
    });
    const lines = createInterface({ input: out as Readable }).on('line', (text) => {
      const line = parseLine(text);
      if (line !== null) options.heard(line);
      else this.#complained(`${text}\n`);
    });
    (errors as Readable).setEncoding('utf8').on('data', (text) => this.#complained(text));
    // A pipe that breaks says only that the process has ended.
    for (const each of [out, errors, lines]) each?.on('error', () => {});
  }

  /** Nobody is told that it has ended already. */
  signal(signal: NodeJS.Signals): void {
    if (this.end === null) this.#child.kill(signal);
  }

  complaints(): string {
    return this.#complaints;
  }

  #complained(text: string): void {
    this.#complaints = (this.#complaints + text).slice(-complaintsLengthMax);
  }
}

function parseLine(text: string): NodeLine | null {
  try {
    const line: unknown = JSON.parse(text);
    return typeof line === 'object' && line !== null ? (line as NodeLine) : null;
  } catch {
    return null;
  }
}
