import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, mkdtempSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatDuration } from '../../../foundation/duration.ts';
import { BackplaneError } from '../../../foundation/errors.ts';
import type { Clock } from '../../../ports/clock.ts';
import { readProcess } from './read-process.ts';
import { drillFolderPrefix, type WardenOrder } from './warden-orders.ts';

const startMsMax = 15_000;
const closeMsMax = 15_000;

export interface WardenOptions {
  /** Where folders of drills are made: `os.tmpdir()`. */
  readonly temporary: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
}

/**
 * What makes sure that nothing outlives a drill, even one that was killed: a process of its own
 * that ends what it was told of when the drill is gone. It is told at once, before anything is
 * awaited; a process it is told of is known by its start as well, because a pid is used again.
 */
export class Warden {
  readonly pid: number;
  readonly #options: WardenOptions;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #said = '';
  #closing: Promise<string[]> | null = null;

  private constructor(child: ChildProcess, options: WardenOptions) {
    this.#child = child;
    this.#options = options;
    this.pid = child.pid as number;
    this.#ended = once(child, 'close');
    child.stdout?.setEncoding('utf8').on('data', (text) => {
      this.#said += text;
    });
    // Its end is found out when it is told the next thing.
    child.stdin?.on('error', () => {});
    for (const each of [child, child.stdin as Socket, child.stdout as Socket]) each.unref();
  }

  static async start(options: WardenOptions): Promise<Warden> {
    const { PATH } = options.environment;
    const child = spawn(process.execPath, [wardenProgram, options.temporary], {
      // In a group of its own: Ctrl-C and the end of the terminal are not for it.
      ...{ detached: true, cwd: '/', env: { PATH } },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const over = new AbortController();
    const timer = options.clock.after(startMsMax, () => over.abort());
    const failed = once(child, 'exit', { signal: over.signal }).catch(() => {});
    try {
      const ready = once(child.stdout as Socket, 'data', { signal: over.signal });
      const outcome = await Promise.race([ready, failed]);
      if (String(outcome?.[0]).startsWith('ready')) return new Warden(child, options);
    } catch {
      // It could not be started, or said nothing.
    } finally {
      timer.cancel();
      over.abort();
    }
    child.kill('SIGKILL');
    throw new BackplaneError('INTERNAL', 'the warden of the drill does not start', {
      certainty: 'definite',
    });
  }

  /** It is ended with SIGKILL, unless it is forgotten before. */
  watchProcess(pid: number): void {
    this.#tellOfProcess('end', pid);
  }

  /** For a process that is not the drill's, and is stopped by it: it goes on. */
  resumeOnEnd(pid: number): void {
    this.#tellOfProcess('resume', pid);
  }

  forgetProcess(pid: number): void {
    this.#tell({ order: 'forget', pid });
  }

  /** A new folder, watched from the start. */
  makeFolder(): string {
    const { temporary } = this.#options;
    try {
      const path = mkdtempSync(join(temporary, drillFolderPrefix));
      this.watchFolder(path);
      return path;
    } catch (cause) {
      if (cause instanceof BackplaneError) throw cause;
      const why = (cause as NodeJS.ErrnoException).code ?? 'an unknown reason';
      throw new BackplaneError(
        'DATA_FOLDER_UNUSABLE',
        `no folder can be made in ${temporary}: ${why}`,
        { cause, remedy: 'make room there, or name another folder with TMPDIR' },
      );
    }
  }

  /** Only one that `makeFolder` could have made is removed in the end. */
  watchFolder(path: string): void {
    const { dev, ino } = lstatSync(path);
    this.#tell({ order: 'remove', path, identity: `${dev}:${ino}` });
  }

  forgetFolder(path: string): void {
    this.#tell({ order: 'forget', path });
  }

  /** Has it end now what is left, and answers what that was: `process 123`, `folder /tmp/…`. */
  close(): Promise<string[]> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<string[]> {
    this.#child.ref();
    this.#child.stdin?.end();
    const { clock } = this.#options;
    const timer = clock.after(closeMsMax, () => this.#child.kill('SIGKILL'));
    await this.#ended;
    timer.cancel();
    if (this.#child.exitCode !== 0) {
      const message = `the warden of the drill did not end within ${formatDuration(closeMsMax)}`;
      throw new BackplaneError('INTERNAL', message, { certainty: 'definite' });
    }
    return this.#said.split('\n').filter(Boolean);
  }

  #tellOfProcess(order: 'end' | 'resume', pid: number): void {
    const found = readProcess(pid);
    // It has ended already.
    if (found !== null) this.#tell({ order, pid, startedAt: found.startedAt });
  }

  #tell(order: WardenOrder): void {
    if (this.#closing !== null) return;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
      if (order.order === 'forget') return;
      throw new BackplaneError('INTERNAL', 'the warden of the drill was ended by somebody', {
        certainty: 'definite',
      });
    }
    this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
  }
}

const wardenProgram = fileURLToPath(
  new URL(
    import.meta.url.endsWith('.ts') ? './warden-program.ts' : './warden-program.js',
    import.meta.url,
  ),
);
