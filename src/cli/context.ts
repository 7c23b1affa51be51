import type { DashboardRequest } from '../operations/watch/dashboard-source.ts';
import type { Clock } from '../ports/clock.ts';
import type { Engine, InspectableStore } from '../ports/engine.ts';
import type { BrokerExamination } from '../ports/examination.ts';
import { type Logger, silentLogger } from '../ports/logger.ts';
import type { Random } from '../ports/random.ts';
import type { Visitor } from '../runtime/visitor.ts';
import type { DrillDoors } from '../verification/drills/drill-doors.ts';
import type { Impact } from './command-definition.ts';
import type { BrokerRequest, HostedNode, HostingRequest, HostNode, RunBroker } from './hosting.ts';
import type { Environment } from './option-values.ts';
import { Printer } from './output/printer.ts';
import type { Redactor } from './redactor.ts';
import type { Settings } from './settings.ts';
import type { Terminal } from './terminal.ts';
import { createTerminalLogger } from './terminal-logger.ts';
import { wantsColour } from './wants-colour.ts';

/**
 * How commands reach the world. The composition root passes the functions in, so the CLI knows no
 * driver. Whatever is opened here is closed by the context.
 */
export interface Doors {
  openEngine(settings: Settings, logger: Logger): Promise<Engine>;
  /** How the broker is set up and fares; null where there is no server to look at. */
  examineBroker(settings: Settings, logger: Logger): Promise<BrokerExamination | null>;
  /** A visitor that may write replaces a dead owner it stumbles on; one that looks does not. */
  openVisitor(engine: Engine, logger: Logger, mayWrite: boolean): Promise<Visitor>;
  /** The store of the cluster of the settings; closing it closes everything it stands on. */
  openStore(settings: Settings, logger: Logger): Promise<OpenedStore>;
  drillDoors(logger: Logger): DrillDoors;
  /** Loads the dashboard, which takes a while, and answers how to show it. */
  prepareDashboard(): Promise<(request: DashboardRequest) => Promise<void>>;
  readonly hostNode: HostNode;
  readonly runBroker: RunBroker;
}

export interface OpenedStore {
  readonly store: InspectableStore;
  close(): Promise<void>;
}

/** What this program is. */
export interface About {
  readonly version: string;
  readonly node: string;
  readonly platform: string;
}

/** What the process gives to the CLI. */
export interface World {
  readonly terminal: Terminal;
  readonly environment: Environment;
  readonly home: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly doors: Doors;
  readonly about: About;
  readonly pid: number;
  readonly redact: Redactor;
}

/** What is known once the command line is parsed. */
export interface Running {
  readonly settings: Settings;
  readonly impact: Impact;
  readonly endsBySignal: boolean;
  /** Called before anything is printed. */
  readonly beforePrinting: () => void;
}

/**
 * What a command has at hand. Nothing is opened before it is asked for, everything opened is
 * closed at the end. Settings are known from the moment a command's action runs.
 */
export class CommandContext {
  readonly world: World;
  /** Aborted by SIGINT, SIGTERM, or when nobody reads the output any more. */
  readonly signal: AbortSignal;
  readonly #running: () => Running;
  readonly #closing: (() => Promise<void>)[] = [];
  #isClosing = false;
  /** What the command found, as an exit code; a failure has its own. */
  exitCode = 0;
  #print: Printer | null = null;
  #logger: Logger | null = null;
  #engine: Promise<Engine> | null = null;
  #visitor: Promise<Visitor> | null = null;

  constructor(world: World, running: () => Running, signal: AbortSignal) {
    this.world = world;
    this.signal = signal;
    this.#running = running;
  }

  get settings(): Settings {
    return this.#running().settings;
  }

  get terminal(): Terminal {
    return this.world.terminal;
  }

  get clock(): Clock {
    return this.world.clock;
  }

  get random(): Random {
    return this.world.random;
  }

  /** Prints results in the format of `-o`. */
  get print(): Printer {
    this.#print ??= new Printer({
      terminal: this.terminal,
      format: this.settings.output,
      colour: this.usesColour(),
      errColour: this.usesColour('err'),
      clock: this.clock,
      signal: this.signal,
      beforePrinting: this.#running().beforePrinting,
    });
    return this.#print;
  }

  /**
   * Events on standard error: all with `--debug`, warnings of a command that goes on and on, and
   * none of the others, whose error says what happened in one sentence.
   */
  get logger(): Logger {
    const { settings, endsBySignal } = this.#running();
    if (!settings.debug && !endsBySignal) return silentLogger;
    this.#logger ??= this.#quietAtTheEnd(
      createTerminalLogger({
        terminal: this.terminal,
        clock: this.clock,
        redact: this.world.redact,
        colour: this.usesColour('err'),
        json: settings.output === 'json' || settings.output === 'jsonl',
        level: settings.debug ? 'debug' : 'warn',
      }),
    );
    return this.#logger;
  }

  /** The error, or nothing, is the last word: that a connection broke while it closed is no news. */
  #quietAtTheEnd(logger: Logger): Logger {
    return {
      event: (level, name, facts) => {
        if (!this.#isClosing || this.settings.debug) logger.event(level, name, facts);
      },
    };
  }

  engine(): Promise<Engine> {
    this.#engine ??= this.use(() => this.world.doors.openEngine(this.settings, this.logger));
    return this.#engine;
  }

  visitor(): Promise<Visitor> {
    this.#visitor ??= this.engine().then((engine) =>
      this.use(() =>
        this.world.doors.openVisitor(engine, this.logger, this.#running().impact === 'rw'),
      ),
    );
    return this.#visitor;
  }

  /** Starts a node in this process. */
  host(request: HostingRequest): Promise<HostedNode> {
    return this.use(() => this.world.doors.hostNode(this.settings, request));
  }

  /** Runs a broker in this process until it is idle, or the command is interrupted. */
  runBroker(request: Omit<BrokerRequest, 'logger' | 'signal'>): Promise<'stopped' | 'idle'> {
    const { logger, signal } = this;
    return this.world.doors.runBroker(this.settings, { ...request, logger, signal });
  }

  /** Opens something that is closed when the command ends, the last opened first. */
  async use<Opened extends { close(): Promise<void> }>(
    open: () => Promise<Opened>,
  ): Promise<Opened> {
    const opened = await open();
    this.#closing.push(() => opened.close());
    return opened;
  }

  /** Whether standard output, or with `err` standard error, is coloured. */
  usesColour(stream: 'out' | 'err' = 'out'): boolean {
    const { environment, terminal } = this.world;
    const isTerminal = stream === 'out' ? terminal.isInteractive : terminal.errIsInteractive;
    return wantsColour(this.settings.color, environment, isTerminal);
  }

  /** Closes what was opened. A failure to close is of no use to the user any more. */
  async close(): Promise<void> {
    this.#isClosing = true;
    for (const close of this.#closing.splice(0).reverse()) await close().catch(() => {});
  }
}
