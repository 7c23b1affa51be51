import type { Readable, Writable } from 'node:stream';

/**
 * Where a command reads and writes, as a value: no command knows `process`. Results go to `out`,
 * everything about them to `err`.
 */
export interface Terminal {
  readonly out: TextSink;
  readonly err: TextSink;
  readonly input: Readable;
  readonly inputIsTerminal: boolean;
  /** Standard output is a terminal, so a person reads it. */
  readonly isInteractive: boolean;
  readonly errIsInteractive: boolean;
  columns(): number;
  rows(): number;
}

/** A stream that never throws: a reader that went away is an event, not an error. */
export interface TextSink {
  /** Resolves when more may be written, so that a slow reader slows the writer. */
  write(text: string): Promise<void>;
  /** Resolves when everything written has left the process. */
  flush(): Promise<void>;
  onClosed(listen: () => void): void;
}

export interface OutputStream extends Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

/** `createTerminal({ out: process.stdout, err: process.stderr, input: process.stdin })`. */
export function createTerminal(streams: {
  readonly out: OutputStream;
  readonly err: OutputStream;
  readonly input: Readable & { readonly isTTY?: boolean };
}): Terminal {
  return {
    out: new StreamSink(streams.out),
    err: new StreamSink(streams.err),
    input: streams.input,
    inputIsTerminal: streams.input.isTTY === true,
    isInteractive: streams.out.isTTY === true,
    errIsInteractive: streams.err.isTTY === true,
    columns: () => streams.out.columns ?? 80,
    rows: () => streams.out.rows ?? 24,
  };
}

class StreamSink implements TextSink {
  readonly #stream: Writable;
  readonly #listeners = new Set<() => void>();
  #draining: Promise<void> | null = null;
  #closed = false;

  constructor(stream: Writable) {
    this.#stream = stream;
    // EPIPE of `| head`, EIO of a terminal that is gone: either way nobody reads any more.
    stream.on('error', () => this.#becomeClosed());
    stream.on('close', () => this.#becomeClosed());
  }

  async write(text: string): Promise<void> {
    if (this.#closed || this.#stream.write(text)) return;
    this.#draining ??= this.#until((resolve) => this.#stream.once('drain', resolve));
    await this.#draining;
    this.#draining = null;
  }

  async flush(): Promise<void> {
    if (this.#closed) return;
    await this.#until((resolve) => this.#stream.write('', () => resolve()));
  }

  onClosed(listen: () => void): void {
    if (this.#closed) listen();
    else this.#listeners.add(listen);
  }

  /** Waits for what `begin` reports, or for the end of the stream. */
  #until(begin: (resolve: () => void) => void): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#listeners.delete(done);
        resolve();
      };
      this.#listeners.add(done);
      begin(done);
    });
  }

  #becomeClosed(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const listen of [...this.#listeners]) listen();
    this.#listeners.clear();
  }
}
