import type { Span } from './run-series.ts';

const spansKept = 500;

/** When something was so: several may make it so at once, and it ends with the last of them. */
export class SpanLane {
  readonly #spans: { readonly fromMs: number; toMs: number | null }[] = [];
  #depth = 0;

  begin(atMs: number): void {
    this.#depth += 1;
    if (this.#depth > 1) return;
    this.#spans.push({ fromMs: atMs, toMs: null });
    if (this.#spans.length > spansKept) this.#spans.shift();
  }

  end(atMs: number): void {
    if (this.#depth === 0) return;
    this.#depth -= 1;
    const last = this.#spans.at(-1);
    if (this.#depth === 0 && last !== undefined) last.toMs = atMs;
  }

  endAll(atMs: number): void {
    this.#depth = Math.min(1, this.#depth);
    this.end(atMs);
  }

  /** With times since a start. */
  spans(startMs: number): Span[] {
    return this.#spans.map(({ fromMs, toMs }) => ({
      fromMs: fromMs - startMs,
      toMs: toMs === null ? null : toMs - startMs,
    }));
  }
}
