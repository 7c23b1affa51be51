import { type Command, CommanderError } from 'commander';
import { invariant } from '../foundation/assert.ts';
import { asBackplaneError, BackplaneError, isBackplaneError } from '../foundation/errors.ts';
import { sleep } from '../ports/clock.ts';
import type { CommandDefinition } from './command-definition.ts';
import { commandTable, hiddenCommands } from './command-table.ts';
import { CommandContext, type Running, type World } from './context.ts';
import { describeError } from './error-report.ts';
import { exitCodeOf } from './exit-codes.ts';
import { outputFormatIn } from './global-options.ts';
import { Interruption, type ProcessEvents } from './interruption.ts';
import { resolveOptions } from './option-values.ts';
import { checkOutputFormat } from './output-kinds.ts';
import { buildProgram, type GivenValues } from './program.ts';
import { resolveSettings, type Settings } from './settings.ts';
import { Spinner } from './spinner.ts';
import { commandAt, usageError } from './usage-error.ts';
import { wantsColour } from './wants-colour.ts';

/** How long closing connections may hold up the end, and how long after somebody insisted. */
const closeMsMax = 1_000;
const forcedCloseMsMax = 200;

/** One command line, from its words to its exit code. */
export class CommandRun {
  readonly #args: readonly string[];
  readonly #world: World;
  readonly #interruption: Interruption;
  readonly #context: CommandContext;
  readonly #program: Command;
  /** An exception that nobody caught. */
  readonly #crashed: Promise<unknown>;
  #settings: Settings | null = null;
  #command: CommandDefinition | null = null;
  #spinner: Spinner | null = null;
  /** What the parser prints, held back until it is known that the command line was right. */
  #help = '';

  constructor(args: readonly string[], world: World, events: ProcessEvents) {
    this.#args = args;
    this.#world = world;
    this.#interruption = new Interruption(world.clock);
    this.#interruption.watch(events);
    this.#crashed = new Promise((resolve) => events.onCrash(resolve));
    world.terminal.out.onClosed(() => this.#becomeUnread());
    this.#context = new CommandContext(world, () => this.#running(), this.#interruption.signal);
    this.#program = buildProgram(commandTable, hiddenCommands, {
      version: world.about.version,
      columns: world.terminal.columns(),
      load: async (entry) => (await entry.load())(this.#context),
      run: (command, given) => this.#run(command, given),
      print: (text) => {
        this.#help += text;
      },
    });
  }

  /** Runs it to its end. Never throws. */
  async run(): Promise<number> {
    const ended = this.#parse().then(
      () => null,
      (thrown: unknown) => this.#asError(thrown),
    );
    const forced = this.#interruption.forced.then(() => interrupted());
    const crashed = this.#crashed.then(asBackplaneError);
    const outcome = await Promise.race([ended, forced, crashed]);
    this.#spinner?.stop();
    const code = await this.#finish(outcome);
    const closeMs = this.#interruption.isForced ? forcedCloseMsMax : closeMsMax;
    await this.#inTime(closeMs, this.#context.close());
    this.#interruption.close();
    const { out, err } = this.#world.terminal;
    const flushed = Promise.all([out.flush(), err.flush()]);
    // A slow reader is waited for, but not by somebody who wants to get away.
    await (this.#interruption.cause === null ? flushed : this.#inTime(closeMs, flushed));
    return code;
  }

  async #inTime(msMax: number, ending: Promise<unknown>): Promise<void> {
    const done = new AbortController();
    await Promise.race([ending, sleep(this.#world.clock, msMax, done.signal)]);
    done.abort();
  }

  async #parse(): Promise<void> {
    await this.#program.parseAsync([...this.#args], { from: 'user' });
    await this.#world.terminal.out.write(this.#help);
  }

  async #run(command: CommandDefinition, given: GivenValues): Promise<void> {
    const { environment, home } = this.#world;
    this.#command = command;
    this.#settings = resolveSettings(given.globals, environment, home, command.opensNothing);
    for (const secret of this.#settings.secrets) this.#world.redact.learn(secret.reveal());
    checkOutputFormat(command, this.#settings.output);
    const { values } = resolveOptions(command.options, given.options, environment);
    if (command.endsBySignal) this.#interruption.bePatient();
    const { terminal, clock } = this.#world;
    if (this.#isWatched(command)) this.#spinner = new Spinner(terminal.err, clock);
    await command.run({ ...given.args }, { ...values });
  }

  /** Who only looks has nothing left to do when nobody reads; who acts finishes the work. */
  #becomeUnread(): void {
    if (!this.#couldChange()) this.#interruption.interrupt('closed pipe');
  }

  /** Somebody sits there and waits for an answer, and nothing else is drawn meanwhile. */
  #isWatched(command: CommandDefinition): boolean {
    const answers = command.output === 'report' || command.output === 'listing';
    return answers && this.#world.terminal.errIsInteractive && !this.#settings?.debug;
  }

  #running(): Running {
    const settings = this.#settings;
    const command = this.#command;
    invariant(settings && command, 'a command asks for its settings only when it runs');
    const { impact, endsBySignal } = command;
    return { settings, impact, endsBySignal, beforePrinting: () => this.#spinner?.stop() };
  }

  /** An end that is no failure is null: help was asked for, and is there to print. */
  async #asError(thrown: unknown): Promise<BackplaneError | null> {
    if (!(thrown instanceof CommanderError)) return asBackplaneError(thrown);
    const problem = usageError(thrown, commandAt(this.#program));
    if (problem === null) await this.#world.terminal.out.write(this.#help);
    return problem;
  }

  /** Tells a failure, and decides the exit code. */
  async #finish(error: BackplaneError | null): Promise<number> {
    const { cause } = this.#interruption;
    const stopped = cause !== null && (error === null || isBackplaneError(error, 'INTERRUPTED'));
    const endsBySignal = this.#command?.endsBySignal ?? false;
    if (stopped && (cause === 'closed pipe' || (endsBySignal && error === null))) return 0;
    if (stopped) {
      if (this.#couldChange()) await this.#tell(error ?? interrupted());
      return 130;
    }
    if (error === null) return this.#context.exitCode;
    await this.#tell(error);
    return exitCodeOf(error);
  }

  #couldChange(): boolean {
    return this.#command?.impact === 'rw';
  }

  async #tell(error: BackplaneError): Promise<void> {
    const { environment, terminal, redact } = this.#world;
    const color = this.#settings?.color ?? 'auto';
    const text = describeError(error, {
      output: this.#settings?.output ?? outputFormatIn(this.#args) ?? 'table',
      colour: wantsColour(color, environment, terminal.errIsInteractive),
      debug: this.#settings?.debug ?? this.#args.includes('--debug'),
      couldChange: this.#couldChange(),
      redact,
    });
    await terminal.err.write(text);
  }
}

function interrupted(): BackplaneError {
  return new BackplaneError('INTERRUPTED', 'the command was interrupted');
}
