/** Rows in groups: what is there at once goes out together, what comes late does not wait. */
export async function* inPages<Row>(
  rows: Iterable<Row> | AsyncIterable<Row>,
  size: number,
  signal: AbortSignal,
): AsyncGenerator<Row[]> {
  let page: Row[] = [];
  for await (const row of rows) {
    if (signal.aborted) return;
    page.push(row);
    if (page.length >= size) {
      yield page;
      page = [];
    }
  }
  if (page.length > 0) yield page;
}
