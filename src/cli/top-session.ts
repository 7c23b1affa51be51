import { asBackplaneError, BackplaneError } from '../foundation/errors.ts';
import { isoTime } from '../foundation/iso-time.ts';
import { type ClusterAction, carryOut } from '../operations/act/cluster-action.ts';
import { ClusterPulse } from '../operations/watch/cluster-pulse.ts';
import type {
  DashboardRequest,
  LiveSource,
  ReplaySource,
} from '../operations/watch/dashboard-source.ts';
import { readDirectoryPage } from '../operations/watch/directory-page.ts';
import { DocumentWatch } from '../operations/watch/document-watch.ts';
import { readListingPage } from '../operations/watch/listing-page.ts';
import { lookAtTime } from '../operations/watch/pulse-recording.ts';
import type { PulseReport } from '../operations/watch/pulse-report.ts';
import { Recorder } from '../operations/watch/recorder.ts';
import { sleep } from '../ports/clock.ts';
import type { Engine } from '../ports/engine.ts';
import type { Logger } from '../ports/logger.ts';
import type { Visitor } from '../runtime/visitor.ts';
import type { CommandContext } from './context.ts';
import { pulseLines } from './output/pulse-lines.ts';
import { openRecording, startRecording } from './recording-file.ts';

export interface TopOptions {
  readonly once: boolean;
  readonly interval: number;
  readonly readOnly: boolean;
  readonly record: string | undefined;
  readonly replay: string | undefined;
  readonly at: string | undefined;
  readonly ascii: boolean;
  readonly screenReader: boolean;
}

interface OpenedDoor {
  readonly engine: Engine;
  readonly visitor: Visitor;
}

const documentsOnce = 20;

/** The screen belongs to the dashboard: what the connection has to say would be written across it. */
const mute: Logger = { event() {} };

/** One `top`: a look for a script, a recording without a screen, a replay, or the dashboard. */
export class TopSession {
  readonly #context: CommandContext;
  readonly #options: TopOptions;

  constructor(context: CommandContext, options: TopOptions) {
    this.#context = context;
    this.#options = options;
  }

  async run(): Promise<void> {
    const { once, replay, record, at } = this.#options;
    if (replay !== undefined && record !== undefined) {
      throw new BackplaneError('USAGE', 'a replay cannot be recorded');
    }
    if (at !== undefined && replay === undefined) {
      throw new BackplaneError('USAGE', '--at is for --replay');
    }
    if (once && record !== undefined) throw new BackplaneError('USAGE', 'one look is no recording');
    if (replay !== undefined) return this.#replay(replay);
    if (once) return this.#once();
    if (!this.#hasScreen && record !== undefined) return this.#recordOnly();
    return this.#live();
  }

  get #hasScreen(): boolean {
    const { terminal, world } = this.#context;
    return terminal.isInteractive && terminal.inputIsTerminal && world.environment.TERM !== 'dumb';
  }

  async #replay(file: string): Promise<void> {
    const { at = null, interval: intervalMs } = this.#options;
    const recording = await this.#context.use(() => openRecording(file));
    if (!this.#options.once) {
      return this.#show({ kind: 'replay', recording, intervalMs, startAt: at });
    }
    const times = recording.trend.map((look) => look.at);
    const found = at === null ? times.length - 1 : lookAtTime(times, at);
    await this.#print(await recording.read(found ?? 0));
  }

  async #once(): Promise<void> {
    const { clock, signal } = this.#context;
    const pulse = await this.#pulse(await this.#open());
    const wish = { contains: '', limit: documentsOnce };
    await pulse.look(wish);
    await sleep(clock, this.#options.interval, signal);
    if (!signal.aborted) await this.#print(await pulse.look(wish));
  }

  async #recordOnly(): Promise<void> {
    const { clock, signal } = this.#context;
    const door = await this.#open();
    const pulse = await this.#pulse(door);
    const recorder = await this.#startRecording(door, pulse);
    while (!signal.aborted) {
      const report = await recorder?.look(null).catch((thrown) => {
        // An outage is what a recording is for: it goes on when the broker is back.
        const error = asBackplaneError(thrown);
        if (error.code === 'INTERNAL') throw thrown;
        return null;
      });
      if (report) recorder?.record(report);
      await sleep(clock, this.#options.interval, signal);
    }
  }

  async #live(): Promise<void> {
    this.#requireScreen();
    const preparing = this.#context.world.doors.prepareDashboard();
    // Until it is awaited, a failure of it must not count as one nobody caught.
    preparing.catch(() => {});
    const door = await this.#open();
    const pulse = await this.#pulse(door);
    // Asked before there is a screen: loading that takes longer than the answer.
    const first = pulse.glance();
    first.catch(() => {});
    const recorder = await this.#startRecording(door, pulse);
    const sources = this.#sources(door);
    await this.#show({
      kind: 'live',
      cluster: this.#cluster,
      intervalMs: this.#options.interval,
      glance: () => first,
      look: (documents) => (recorder ?? pulse).look(documents),
      readDirectory: (query) => readDirectoryPage(sources, query),
      readListing: (query) => readListingPage(sources, query),
      watchDocument: (doc) => new DocumentWatch(sources, doc),
      act: this.#options.readOnly ? null : this.#actor(door.engine),
      record: recorder && ((report) => recorder.record(report)),
    });
  }

  async #show(source: LiveSource | ReplaySource): Promise<void> {
    this.#requireScreen();
    const { world, signal } = this.#context;
    const show = await world.doors.prepareDashboard();
    const { ascii, screenReader } = this.#options;
    const look: DashboardRequest['look'] = {
      colour: this.#context.usesColour(),
      ascii: ascii || !speaksUnicode(world.environment),
      spoken: screenReader || world.environment.INK_SCREEN_READER === 'true',
    };
    await show({ source, look, signal });
  }

  /** Looking fences nobody, so the visitor that looks may not; the one that acts comes when needed. */
  #actor(engine: Engine): (action: ClusterAction) => Promise<string> {
    const { clock, world } = this.#context;
    let acting: Promise<Visitor> | null = null;
    return async (action) => {
      acting ??= this.#context.use(() => world.doors.openVisitor(engine, mute, true));
      const { sessions, leases, registry } = engine;
      return carryOut({ sessions, leases, registry, visitor: await acting, clock }, action);
    };
  }

  async #open(): Promise<OpenedDoor> {
    const { world, settings } = this.#context;
    const engine = await this.#context.use(() => world.doors.openEngine(settings, mute));
    const visitor = await this.#context.use(() => world.doors.openVisitor(engine, mute, false));
    return { engine, visitor };
  }

  async #pulse(door: OpenedDoor): Promise<ClusterPulse> {
    const { sessions, inspector } = door.engine;
    return new ClusterPulse({
      sessions,
      inspector,
      visitor: door.visitor,
      clock: this.#context.clock,
    });
  }

  #sources({ engine, visitor }: OpenedDoor) {
    const { sessions, leases, registry } = engine;
    return { sessions, leases, registry, visitor, clock: this.#context.clock };
  }

  /** Null when none is wanted. */
  async #startRecording(door: OpenedDoor, pulse: ClusterPulse): Promise<Recorder | null> {
    const { record } = this.#options;
    if (record === undefined) return null;
    const { clock } = this.#context;
    const about = { startedAt: isoTime(clock.wallMs()) ?? '', cluster: this.#cluster };
    let failure: BackplaneError | null = null;
    const writer = await this.#context.use(() =>
      startRecording(record, about, (error) => {
        failure = error;
      }),
    );
    return new Recorder({
      clock,
      look: (wish) => pulse.look(wish),
      readDirectory: (query) => readDirectoryPage(this.#sources(door), query),
      write: (look) => {
        if (failure) throw failure;
        writer.write(look);
      },
    });
  }

  get #cluster(): string {
    const { engineUrl, prefix } = this.#context.settings;
    const named = prefix === 'backplane:' ? '' : ` ${prefix}`;
    return `${engineUrl.text}${named}`;
  }

  async #print(report: PulseReport): Promise<void> {
    await this.#context.print.report(report, pulseLines);
  }

  #requireScreen(): void {
    if (this.#hasScreen) return;
    throw new BackplaneError('USAGE', 'the dashboard needs a terminal', {
      remedy: 'backplane top --once -o json prints one look; --record FILE needs no terminal',
    });
  }
}

/** A locale that is set and is not UTF-8, or the console of the kernel, shows boxes for curves. */
function speaksUnicode(environment: Readonly<Record<string, string | undefined>>): boolean {
  const locale = environment.LC_ALL || environment.LC_CTYPE || environment.LANG || '';
  if (environment.TERM === 'linux') return false;
  return locale === '' || /utf-?8/i.test(locale);
}
