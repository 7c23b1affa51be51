import type { Clock } from '../../ports/clock.ts';
import type { PulseWish } from './cluster-pulse.ts';
import type { DirectoryPage, DirectoryQuery } from './directory-page.ts';
import type { PulseReport } from './pulse-report.ts';

/** A look as a recording keeps it: the pulse, and now and then what there was by name. */
export interface RecordedLook extends PulseReport {
  /** The first documents by name, and who owned each; null where only the pulse was kept. */
  readonly directory: DirectoryPage | null;
}

export interface RecorderParts {
  readonly clock: Clock;
  look(wish: PulseWish): Promise<PulseReport>;
  readDirectory(query: DirectoryQuery): Promise<DirectoryPage>;
  /** Throws once it is no longer possible. */
  write(look: RecordedLook): void;
}

/** Names change slowly, and take more room than the pulse. */
const listedEveryMs = 5_000;
const rowsKept = 100;

/** Looks on behalf of a screen, or of nobody, and asks for what the recording wants besides. */
export class Recorder {
  readonly #parts: RecorderParts;
  #listedMs = Number.NEGATIVE_INFINITY;
  #directory: DirectoryPage | null = null;
  #isWhole = false;

  constructor(parts: RecorderParts) {
    this.#parts = parts;
  }

  async look(wish: PulseWish): Promise<PulseReport> {
    const nowMs = this.#parts.clock.monotonicMs();
    const isDue = nowMs - this.#listedMs >= listedEveryMs;
    if (!isDue) {
      this.#isWhole = false;
      return this.#parts.look(wish);
    }
    this.#listedMs = nowMs;
    // What somebody filters for is not all there was.
    this.#isWhole = wish === null || wish.contains === '';
    const [report, directory] = await Promise.all([
      this.#parts.look(wish ?? { contains: '', limit: rowsKept }),
      this.#parts.readDirectory({ from: null, prefix: '', limit: rowsKept }).catch(() => null),
    ]);
    this.#directory = directory;
    return report;
  }

  record(report: PulseReport): void {
    const seen = this.#isWhole ? report.documents : null;
    const documents = seen && { ...seen, rows: seen.rows.slice(0, rowsKept) };
    this.#parts.write({ ...report, documents, directory: this.#directory });
    this.#directory = null;
    this.#isWhole = false;
  }
}
