const newline = 10;

/**
 * Cuts a stream of bytes into lines and keeps only the beginning of each, as latin1 text: a line
 * may hold megabytes that nobody asks for.
 */
export class HeadLines {
  readonly #charsKept: number;
  readonly #told: (line: string) => void;
  #begun = '';

  constructor(charsKept: number, told: (line: string) => void) {
    this.#charsKept = charsKept;
    this.#told = told;
  }

  push(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
      this.#keep(chunk, from, end);
      const line = this.#begun;
      this.#begun = '';
      from = end + 1;
      this.#told(line.endsWith('\r') ? line.slice(0, -1) : line);
    }
    this.#keep(chunk, from, chunk.length);
  }

  #keep(chunk: Buffer, from: number, end: number): void {
    const room = this.#charsKept - this.#begun.length;
    if (room > 0 && end > from) {
      this.#begun += chunk.toString('latin1', from, Math.min(end, from + room));
    }
  }
}
