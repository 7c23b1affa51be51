import { safeText } from '../../foundation/safe-text.ts';

/** One record of RFC 4180, ending in CRLF. */
export function csvLine(values: readonly unknown[]): string {
  return `${values.map(csvField).join(',')}\r\n`;
}

/**
 * Objects are JSON, absent values empty. CSV cannot escape, so what a terminal would act on is
 * shown as an escape, as in a table; `-o json` is for those who need every byte.
 */
function csvField(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const harmless = unformula(safeText(text));
  return /[",]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

/**
 * A spreadsheet runs a field that begins like a formula, so a document called `=cmd()` would be
 * executed by whoever opens the export. An apostrophe in front makes it text.
 */
function unformula(text: string): string {
  return /^\s*[=+\-@|%]/.test(text) ? `'${text}` : text;
}
