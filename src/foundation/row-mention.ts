import { BackplaneError } from './errors.ts';

const filterBytesMax = 256;

/**
 * Whether a row stays: one of its texts contains the filter, whatever the case, or with `!` in
 * front, none does. An empty filter keeps every row.
 */
export function rowMentions(filter: string, texts: readonly string[]): boolean {
  const isInverted = filter.startsWith('!');
  const wanted = (isInverted ? filter.slice(1) : filter).toLowerCase();
  if (wanted === '') return true;
  return texts.some((text) => text.toLowerCase().includes(wanted)) !== isInverted;
}

/** Throws REQUEST_INVALID: it comes from the network. Absent is empty. */
export function checkRowFilter(filter: unknown): string {
  const text = filter ?? '';
  if (typeof text === 'string' && Buffer.byteLength(text) <= filterBytesMax) return text;
  throw new BackplaneError('REQUEST_INVALID', `"filter" is a text of ${filterBytesMax} bytes`);
}
