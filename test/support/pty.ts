import { fileURLToPath } from 'node:url';
import { type IPty, spawn } from '@lydell/node-pty';
import xterm from '@xterm/headless';

const bin = fileURLToPath(new URL('../../bin/backplane.js', import.meta.url));
const untilMsMax = 30_000;

export interface PtyOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Instead of the binary: a shell, for what only a shell does. */
  readonly command?: readonly [file: string, ...args: string[]];
}

export interface PtyCell {
  readonly text: string;
  /** Of the palette; null for the terminal's own. */
  readonly colour: number | null;
  readonly isBold: boolean;
  readonly isDim: boolean;
  readonly isInverse: boolean;
}

/** A program on a real pseudo terminal, and what a person sees on it. */
export class Pty {
  readonly #process: IPty;
  readonly #terminal: InstanceType<typeof xterm.Terminal>;
  readonly ended: Promise<{ exitCode: number; signal: number | undefined }>;
  /** Every byte it sent: whether the terminal was given back is not seen on the grid alone. */
  bytes = '';
  #written: Promise<void> = Promise.resolve();
  #watchers = new Set<() => void>();

  constructor(args: readonly string[], options: PtyOptions = {}) {
    const { columns: cols = 100, rows = 30, env = {}, command } = options;
    const [file, ...own] = command ?? [process.execPath, bin];
    this.#terminal = new xterm.Terminal({ cols, rows, allowProposedApi: true, scrollback: 0 });
    this.#process = spawn(file, [...own, ...args], {
      cols,
      rows,
      name: 'xterm-256color',
      // Ink stands still where it believes to be in CI.
      env: {
        PATH: process.env.PATH ?? '',
        HOME: '/nonexistent',
        LANG: 'C.UTF-8',
        CI: 'false',
        ...env,
      },
    });
    this.#process.onData((data) => {
      this.bytes += data;
      this.#written = new Promise((resolve) => {
        this.#terminal.write(data, () => {
          resolve();
          for (const look of this.#watchers) look();
        });
      });
    });
    this.ended = new Promise((resolve) => {
      this.#process.onExit(async (end) => {
        await this.#written;
        resolve({ exitCode: end.exitCode, signal: end.signal });
      });
    });
  }

  get pid(): number {
    return this.#process.pid;
  }

  type(keys: string): void {
    this.#process.write(keys);
  }

  kill(signal: string): void {
    this.#process.kill(signal);
  }

  resize(columns: number, rows: number): void {
    this.#terminal.resize(columns, rows);
    this.#process.resize(columns, rows);
  }

  /** The rows that are visible now, without the blanks at their ends. */
  screen(): string[] {
    const { active } = this.#terminal.buffer;
    return Array.from({ length: this.#terminal.rows }, (_, at) => {
      return active.getLine(active.baseY + at)?.translateToString(true) ?? '';
    });
  }

  /** The visible rows with their looks, one cell a column, to draw a picture of them. */
  cells(): PtyCell[][] {
    const { active } = this.#terminal.buffer;
    return Array.from({ length: this.#terminal.rows }, (_, row) => {
      const line = active.getLine(active.baseY + row);
      return Array.from({ length: this.#terminal.cols }, (_, column) => {
        const cell = line?.getCell(column);
        return {
          text: cell?.getChars() || ' ',
          colour: cell?.isFgPalette() ? cell.getFgColor() : null,
          isBold: Boolean(cell?.isBold()),
          isDim: Boolean(cell?.isDim()),
          isInverse: Boolean(cell?.isInverse()),
        };
      });
    });
  }

  /** The other screen, on which full-screen programs draw. */
  get isAlternate(): boolean {
    return this.#terminal.buffer.active.type === 'alternate';
  }

  /** Waits for a screen like that; shows the last one when it never comes. */
  until(accepts: (screen: string[]) => boolean): Promise<string[]> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void) => {
        clearTimeout(late);
        this.#watchers.delete(look);
        settle();
      };
      const look = () => {
        const screen = this.screen();
        if (accepts(screen)) finish(() => resolve(screen));
      };
      const late = setTimeout(() => {
        finish(() => reject(new Error(`it never showed that, but:\n${this.screen().join('\n')}`)));
      }, untilMsMax);
      this.#watchers.add(look);
      look();
    });
  }

  /** Ends it whatever it does. */
  async stop(): Promise<void> {
    try {
      this.#process.kill('SIGKILL');
    } catch {
      // It has ended already.
    }
    await this.ended;
    this.#terminal.dispose();
  }
}
