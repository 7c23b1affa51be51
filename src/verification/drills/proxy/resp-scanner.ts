/** What the scanner stopped at: the head of a frame is known, it ended, or the chunk did. */
export type Mark = 'head' | 'end' | 'more' | 'lost';

/** How many of its first words a frame is judged by; it has that many or fewer. */
export type WordsWanted = (firstWord: string) => number;

export interface RespScannerOptions {
  /** Commands are arrays of bulk strings or inline; replies are anything. */
  readonly side: 'commands' | 'replies';
  readonly wordsWanted: WordsWanted;
}

/** A word longer than this ends the head before it, so that a head is never long. */
export const wordBytesMax = 16_384;
const depthMax = 64;
const elementsMax = 2 ** 32;
const bulkBytesMax = 2 ** 32;
const sizeDigitsMax = 12;

const cr = 0x0d;
const lf = 0x0a;
const [array, push, map, set, attribute, bulk] = codes('*>%~|$');
const bulks = new Set(codes('$=!'));
const lines = new Set(codes('+-:,#_('));
const zero = 0x30;
const minus = 0x2d;

/**
 * Finds where the frames of a RESP2 or RESP3 stream begin and end, however it is cut into chunks,
 * and reads the first words of each. It must see the stream from its first byte. It keeps no more
 * than those words; what cannot be RESP makes it `lost`, for good.
 */
export class RespScanner {
  /** Where in the chunk it stopped. */
  at = 0;
  /** The first byte of the frame: `*`, `>`, `+` …; that of an inline command is not `*`. */
  sign = 0;
  /** How many elements an aggregate has, or words an inline command. */
  count = 0;
  words: string[] = [];
  readonly #isCommands: boolean;
  readonly #wordsWanted: WordsWanted;
  #state: 'type' | 'size' | 'size-end' | 'bulk' | 'bulk-cr' | 'bulk-lf' | 'line' | 'inline' =
    'type';
  #type = 0;
  #size = 0;
  #sizeSign = 1;
  #sizeDigits = 0;
  #left = 0;
  /** How many elements are still to come, per level. */
  readonly #open: number[] = [];
  #wanted = 1;
  #partial: Buffer[] | null = null;
  #partialBytes = 0;
  #head: 'reading' | 'due' | 'told' = 'reading';
  #isEnding = false;
  #isLost = false;

  constructor({ side, wordsWanted }: RespScannerOptions) {
    this.#isCommands = side === 'commands';
    this.#wordsWanted = wordsWanted;
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  /** Between two frames. */
  get isIdle(): boolean {
    return this.#state === 'type' && this.#open.length === 0 && !this.#isEnding;
  }

  get isError(): boolean {
    return this.sign === minus;
  }

  get isPush(): boolean {
    return this.sign === push;
  }

  get isArray(): boolean {
    return this.sign === array;
  }

  /** Goes on from there; to be called until it says `more`, each time from where it stopped. */
  next(chunk: Buffer, from: number): Mark {
    this.at = from;
    for (;;) {
      if (this.#isLost) return 'lost';
      if (this.#head === 'due') {
        this.#head = 'told';
        return 'head';
      }
      if (this.#isEnding) {
        this.#isEnding = false;
        return 'end';
      }
      if (this.at >= chunk.length) return 'more';
      this.#step(chunk);
    }
  }

  #step(chunk: Buffer): void {
    switch (this.#state) {
      case 'type':
        return this.#begin(chunk[this.at] as number);
      case 'size':
        return this.#readSize(chunk[this.at++] as number);
      case 'size-end':
        if (chunk[this.at++] !== lf) return this.#lose();
        return this.#sized();
      case 'bulk':
        return this.#readBulk(chunk);
      case 'bulk-cr':
        if (chunk[this.at++] !== cr) return this.#lose();
        this.#state = 'bulk-lf';
        return;
      case 'bulk-lf':
        if (chunk[this.at++] !== lf) return this.#lose();
        return this.#valueEnded();
      case 'line':
      case 'inline':
        return this.#readLine(chunk);
    }
  }

  #begin(type: number): void {
    const isFirst = this.#open.length === 0;
    if (isFirst) this.#beginFrame(type);
    if (this.#isCommands && type !== (isFirst ? array : bulk)) {
      // A handshake of TLS is no inline command, and has no lines to wait for.
      const isText = type === cr || type === lf || (type >= 0x20 && type < 0x7f);
      if (!isFirst || !isText) return this.#lose();
      this.#partial = [];
      this.#partialBytes = 0;
      this.#state = 'inline';
      return;
    }
    this.at += 1;
    this.#type = type;
    if (lines.has(type)) {
      this.#headEnds();
      this.#state = 'line';
      return;
    }
    this.#size = 0;
    this.#sizeSign = 1;
    this.#sizeDigits = 0;
    this.#state = 'size';
    if (bulks.has(type)) {
      if (isFirst) this.#headEnds();
    } else if (type !== array && type !== push) {
      this.#headEnds();
      if (type !== map && type !== set && type !== attribute) this.#lose();
    }
  }

  #beginFrame(sign: number): void {
    this.sign = sign;
    this.count = 0;
    this.words = [];
    this.#wanted = 1;
    this.#head = 'reading';
  }

  #readSize(byte: number): void {
    if (byte === cr && this.#sizeDigits > 0) {
      this.#state = 'size-end';
    } else if (byte === minus && this.#sizeDigits === 0 && this.#sizeSign === 1) {
      this.#sizeSign = -1;
    } else if (byte >= zero && byte <= zero + 9) {
      this.#sizeDigits += 1;
      if (this.#sizeDigits > sizeDigitsMax) return this.#lose();
      this.#size = this.#size * 10 + (byte - zero);
    } else {
      this.#lose();
    }
  }

  #sized(): void {
    const size = this.#size * this.#sizeSign;
    // Only null is negative.
    if (size < -1) return this.#lose();
    if (bulks.has(this.#type)) this.#bulkSized(size);
    else this.#aggregateSized(size);
  }

  #bulkSized(size: number): void {
    if (size > bulkBytesMax) return this.#lose();
    if (size < 0) {
      this.#headEnds();
      return this.#valueEnded();
    }
    if (this.#head === 'reading' && (this.#open.length !== 1 || size > wordBytesMax)) {
      this.#headEnds();
    }
    this.#partial = this.#head === 'reading' ? [] : null;
    this.#partialBytes = 0;
    this.#left = size;
    this.#state = 'bulk';
    if (size === 0) this.#bulkRead('');
  }

  #aggregateSized(size: number): void {
    if (size > elementsMax || this.#open.length >= depthMax) return this.#lose();
    if (this.#open.length === 0) this.count = Math.max(0, size);
    else this.#headEnds();
    const pairs = this.#type === map || this.#type === attribute ? 2 : 1;
    // The value that an attribute is about follows it, and both count as one.
    const elements = Math.max(0, size) * pairs + (this.#type === attribute ? 1 : 0);
    if (elements === 0) return this.#valueEnded();
    this.#open.push(elements);
    this.#state = 'type';
  }

  #readBulk(chunk: Buffer): void {
    const end = Math.min(chunk.length, this.at + this.#left);
    this.#left -= end - this.at;
    if (this.#partial !== null) {
      if (this.#left === 0 && this.#partial.length === 0) {
        const word = chunk.toString('utf8', this.at, end);
        this.at = end;
        return this.#bulkRead(word);
      }
      this.#partial.push(chunk.subarray(this.at, end));
    }
    this.at = end;
    if (this.#left === 0) this.#bulkRead(this.#partial && Buffer.concat(this.#partial).toString());
  }

  #bulkRead(word: string | null): void {
    this.#state = 'bulk-cr';
    if (this.#partial === null || word === null) return;
    this.#partial = null;
    this.words.push(word);
    if (this.words.length === 1) this.#wanted = this.#wordsWanted(word);
    if (this.words.length >= this.#wanted) this.#headEnds();
  }

  /** Up to and with the line feed; of an inline command it keeps the text. */
  #readLine(chunk: Buffer): void {
    const found = chunk.indexOf(lf, this.at);
    const end = found < 0 ? chunk.length : found + 1;
    if (this.#state === 'inline' && this.#partial !== null) {
      this.#partialBytes += end - this.at;
      if (this.#partialBytes <= wordBytesMax) this.#partial.push(chunk.subarray(this.at, end));
      else this.#inlineRead([]);
    }
    this.at = end;
    if (found < 0) return;
    if (this.#state === 'inline' && this.#partial !== null) {
      this.#inlineRead(Buffer.concat(this.#partial).toString().split(/\s+/).filter(Boolean));
    }
    this.#valueEnded();
  }

  #inlineRead(words: string[]): void {
    this.#partial = null;
    this.words = words.slice(0, 8);
    this.count = words.length;
    this.#headEnds();
  }

  #valueEnded(): void {
    this.#state = 'type';
    while (this.#open.length > 0) {
      const top = this.#open.length - 1;
      const left = (this.#open[top] as number) - 1;
      if (left > 0) {
        this.#open[top] = left;
        return;
      }
      this.#open.pop();
    }
    this.#headEnds();
    this.#isEnding = true;
  }

  #headEnds(): void {
    if (this.#head === 'reading') this.#head = 'due';
  }

  #lose(): void {
    this.#isLost = true;
    this.#partial = null;
  }
}

function codes(text: string): number[] {
  return [...text].map((each) => each.charCodeAt(0));
}
