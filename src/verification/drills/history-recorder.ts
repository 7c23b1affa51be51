import { writeSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { BackplaneError } from '../../foundation/errors.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { Recordable } from '../history-event.ts';

export type { Recordable } from '../history-event.ts';

export interface RecorderOptions {
  readonly path: string;
  readonly clock: Clock;
  /** Sees every event as it is recorded, with its time in the history. */
  readonly witness?: (event: Recordable, atMs: number) => void;
}

export interface RecordedHistory {
  readonly events: number;
  readonly path: string;
}

/** Enough for one write to be worth it. */
const writeCharacters = 65_536;
/** What a drill that is killed may lose. */
const writeAfterMs = 50;
/** Behind a disk that is slower than the events: from here on the disk is waited for. */
const waitingCharactersMax = 33_554_432;

/**
 * Writes a history as it happens, on one time line that never falls. Recording only queues;
 * what is in the file is always a readable beginning, and `close` makes it whole.
 */
export class HistoryRecorder {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #clock: Clock;
  readonly #witness: RecorderOptions['witness'];
  readonly #startedMs: number;
  #lines: string[] = [];
  #characters = 0;
  #position = 0;
  #lastUs = 0;
  #events = 0;
  #timer: Timer | null = null;
  #isWriting = false;
  #written: Promise<void> | null = null;
  #failure: unknown = null;
  #closing: Promise<RecordedHistory> | null = null;

  private constructor(file: FileHandle, { path, clock, witness }: RecorderOptions) {
    this.#file = file;
    this.#path = path;
    this.#clock = clock;
    this.#witness = witness;
    this.#startedMs = clock.monotonicMs();
    this.#add('{"v":1,"kind":"history","unit":"us"}\n');
  }

  /** Begins the file anew. */
  static async open(options: RecorderOptions): Promise<HistoryRecorder> {
    try {
      return new HistoryRecorder(await open(options.path, 'w'), options);
    } catch (cause) {
      throw unwritable(options.path, cause);
    }
  }

  /** Since the history began. */
  elapsedMs(): number {
    return this.#clock.monotonicMs() - this.#startedMs;
  }

  /** What comes after `close` is not part of it any more. */
  record(event: Recordable): void {
    if (this.#closing !== null) return;
    const us = this.#nowUs();
    this.#events += 1;
    this.#add(`{"t":${us},${JSON.stringify(event).slice(1)}\n`);
    this.#witness?.(event, us / 1_000);
  }

  /** Twice is once. Fails with INCONCLUSIVE if not everything could be written. */
  close(): Promise<RecordedHistory> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #nowUs(): number {
    this.#lastUs = Math.max(this.#lastUs, Math.round(this.elapsedMs() * 1_000));
    return this.#lastUs;
  }

  #add(line: string): void {
    if (this.#failure !== null) return;
    this.#lines.push(line);
    this.#characters += line.length;
    if (this.#characters >= writeCharacters) this.#write();
    else this.#timer ??= this.#clock.after(writeAfterMs, () => this.#write());
  }

  #write(): void {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#characters === 0) return;
    if (!this.#isWriting) this.#written = this.#writeAll();
    else if (this.#characters > waitingCharactersMax) this.#writeAtOnce();
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    try {
      while (this.#characters > 0 && this.#failure === null) {
        const { bytes, position } = this.#take();
        for (let at = 0; at < bytes.length; ) {
          const { bytesWritten } = await this.#file.write(bytes, at, null, position + at);
          at += bytesWritten;
        }
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#isWriting = false;
    }
  }

  /** Beside a write that is under way: each has its own place in the file. */
  #writeAtOnce(): void {
    try {
      const { bytes, position } = this.#take();
      for (let at = 0; at < bytes.length; ) {
        at += writeSync(this.#file.fd, bytes, at, null, position + at);
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #take(): { readonly bytes: Buffer; readonly position: number } {
    const bytes = Buffer.from(this.#lines.join(''));
    const position = this.#position;
    this.#lines = [];
    this.#characters = 0;
    this.#position += bytes.length;
    return { bytes, position };
  }

  /** A history with a hole proves nothing: nothing more is kept. */
  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#lines = [];
    this.#characters = 0;
  }

  async #close(): Promise<RecordedHistory> {
    this.#add(`{"t":${this.#nowUs()},"ev":"end","events":${this.#events}}\n`);
    this.#write();
    await this.#written;
    await this.#file.close();
    if (this.#failure !== null) throw unwritable(this.#path, this.#failure);
    return { events: this.#events, path: this.#path };
  }
}

function unwritable(path: string, cause: unknown): BackplaneError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new BackplaneError('INCONCLUSIVE', `the history cannot be written to ${path}: ${why}`, {
    cause,
    remedy: 'choose another file with --history',
  });
}
