import { Readable, Writable } from 'node:stream';
import { CommandContext, type Doors, type World } from '../../../src/cli/context.ts';
import type { ProcessEvents } from '../../../src/cli/interruption.ts';
import { createRedactor } from '../../../src/cli/redactor.ts';
import { runCli } from '../../../src/cli/run-cli.ts';
import { createTerminal, type OutputStream } from '../../../src/cli/terminal.ts';
import { SystemClock } from '../../../src/drivers/system/system-clock.ts';
import { SystemRandom } from '../../../src/drivers/system/system-random.ts';

/** A stream that keeps what is written to it. */
export class Capture extends Writable {
  text = '';
  isTTY: boolean;

  constructor(isTTY = false) {
    super();
    this.isTTY = isTTY;
  }

  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

const closed = async (): Promise<never> => {
  throw new Error('this test opens nothing');
};

export const closedDoors: Doors = {
  openEngine: closed,
  examineBroker: closed,
  openVisitor: closed,
  hostNode: closed,
  openStore: closed,
  prepareDashboard: closed,
  drillDoors: () => {
    throw new Error('this test opens nothing');
  },
  runBroker: closed,
};

export interface WorldOptions {
  readonly out?: OutputStream;
  readonly err?: OutputStream;
  readonly environment?: Readonly<Record<string, string>>;
  readonly doors?: Partial<Doors>;
  readonly args?: readonly string[];
}

/** A world for commands that run in this process. */
export function cliWorld(options: WorldOptions = {}): World {
  const environment = options.environment ?? {};
  return {
    terminal: createTerminal({
      out: options.out ?? new Capture(),
      err: options.err ?? new Capture(),
      input: Readable.from([]),
    }),
    environment,
    home: '/home/somebody',
    clock: new SystemClock(),
    random: new SystemRandom(),
    doors: { ...closedDoors, ...options.doors },
    about: { version: '1.2.3', node: '24.0.0', platform: 'linux x64' },
    pid: 1,
    redact: createRedactor(environment, options.args ?? []),
  };
}

/** A context to declare commands with. */
export function idleContext(): CommandContext {
  const unknown = () => {
    throw new Error('a declaration needs no settings');
  };
  return new CommandContext(cliWorld(), unknown, new AbortController().signal);
}

/** A process to which nothing happens. */
export const quietProcess: ProcessEvents = { onSignal() {}, onCrash() {} };

/** A process to which a test makes things happen. */
export class EventfulProcess implements ProcessEvents {
  readonly #signals = new Map<string, () => void>();
  #crash: (thrown: unknown) => void = () => {};

  onSignal(signal: string, listen: () => void): void {
    this.#signals.set(signal, listen);
  }

  onCrash(listen: (thrown: unknown) => void): void {
    this.#crash = listen;
  }

  send(signal: string): void {
    this.#signals.get(signal)?.();
  }

  crash(thrown: unknown): void {
    this.#crash(thrown);
  }
}

/** Runs a command line in this process, with nothing behind its doors. */
export async function runInProcess(
  args: readonly string[],
  options: Omit<WorldOptions, 'out' | 'err'> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const out = new Capture();
  const err = new Capture();
  const code = await runCli(args, cliWorld({ ...options, args, out, err }), quietProcess);
  return { code, stdout: out.text, stderr: err.text };
}
