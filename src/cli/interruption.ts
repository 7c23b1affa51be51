import type { Clock, Timer } from '../ports/clock.ts';

/** What ended a command before its time. */
export type InterruptionCause = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'closed pipe';

/** What happens to the process: `process.on`. */
export interface ProcessEvents {
  onSignal(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', listen: () => void): void;
  /** An exception that nobody caught: a bug of ours. */
  onCrash(listen: (thrown: unknown) => void): void;
}

/** How long a command may take to stop after it was interrupted. */
const graceMs = 2_000;
/**
 * One Ctrl-C can come twice: from the terminal, which sends it to all its processes, and from npm,
 * which passes on what it got. Nobody presses it again that soon, so it ends no hand-over.
 */
const echoMs = 100;

/**
 * Turns signals and a closed pipe into one abort signal. `forced` resolves when the command did not
 * end in time, or the user insists with a second signal.
 */
export class Interruption {
  readonly forced: Promise<void>;
  readonly #clock: Clock;
  readonly #controller = new AbortController();
  #force: () => void = () => {};
  #cause: InterruptionCause | null = null;
  #causedMs = 0;
  #isForced = false;
  #patient = false;
  #timer: Timer | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.forced = new Promise((resolve) => {
      this.#force = () => {
        this.#isForced = true;
        resolve();
      };
    });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get cause(): InterruptionCause | null {
    return this.#cause;
  }

  get isForced(): boolean {
    return this.#isForced;
  }

  watch(events: ProcessEvents): void {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      events.onSignal(name, () => this.interrupt(name));
    }
  }

  /** The command ends by signal as a matter of course, and may take its time. */
  bePatient(): void {
    this.#patient = true;
  }

  interrupt(cause: InterruptionCause): void {
    if (this.#cause !== null) {
      const isEcho = this.#patient && this.#clock.monotonicMs() - this.#causedMs < echoMs;
      if (cause !== 'closed pipe' && !isEcho) this.#force();
      return;
    }
    this.#cause = cause;
    this.#causedMs = this.#clock.monotonicMs();
    this.#controller.abort(new Error(cause));
    if (!this.#patient) this.#timer = this.#clock.after(graceMs, () => this.#force());
  }

  close(): void {
    this.#timer?.cancel();
  }
}
