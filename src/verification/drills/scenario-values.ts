import * as v from 'valibot';
import { parseDurationMs } from '../../foundation/duration.ts';
import { nearest } from '../../foundation/nearest.ts';

/** More than any of these says nothing that fits a line. */
const wordsShownMax = 12;

const durationPattern = /^\d+(\.\d+)?(ms|s|m|h|d)$/;

/** A duration as scenarios write it: `250ms`, `5s`. It stays text. */
export const durationText = v.pipe(
  v.string('write a duration: a number and a unit, as 250ms or 5s'),
  v.regex(
    durationPattern,
    ({ input }) => `"${input}" is not a duration: write a number and a unit, as 250ms or 5s`,
  ),
  v.check(isShort, ({ input }) => `"${input}" is longer than a year`),
);

/** The same, in milliseconds. */
export const durationMs = v.pipe(durationText, v.transform(parseDurationMs));

/** The same, with what it means: a description counts only in front of the transformation. */
export function durationOf(what: string) {
  return v.pipe(durationText, v.description(what), v.transform(parseDurationMs));
}

/** One that takes time. */
export function someTime(what: string) {
  return v.pipe(durationOf(what), v.minValue(1, 'must be 1ms or more'));
}

/** `30s` is forward, `-30s` back. */
export const signedDurationMs = v.pipe(
  v.string('write a duration with its sign: 30s, or -1h for back'),
  v.regex(
    /^[-+]?\d+(\.\d+)?(ms|s|m|h|d)$/,
    ({ input }) => `"${input}" is not a duration: write 30s for forward, -30s for back`,
  ),
  v.check(
    (text) => isShort(text.replace(/^[-+]/, '')),
    ({ input }) => `"${input}" is longer than a year`,
  ),
  v.transform((text) => {
    const sizeMs = parseDurationMs(text.replace(/^[-+]/, ''));
    return text.startsWith('-') ? -sizeMs : sizeMs;
  }),
);

/** A number without a fraction, within these. */
export function wholeNumber(what: string, min: number, max: number) {
  const wanted = `${what} is a whole number from ${min} to ${max}`;
  return v.pipe(
    v.number(wanted),
    v.integer(wanted),
    v.minValue(min, wanted),
    v.maxValue(max, wanted),
  );
}

/** One of these words; for another the error says which comes nearest. */
export function wordOf<const Words extends readonly string[]>(what: string, words: Words) {
  return v.picklist(words, ({ input }) =>
    typeof input === 'string'
      ? `${what} "${input}" is unknown; ${wayOn(input, words)}`
      : `write ${what} as one of ${words.join(', ')}`,
  );
}

/** An object with these keys and no others; for another the error says which comes nearest. */
export function keysOf<const Entries extends v.ObjectEntries>(what: string, entries: Entries) {
  return v.strictObject(entries, ({ expected, input, path }) => {
    if (expected === 'Object' || Array.isArray(path?.[0]?.input)) {
      return `${what} is written as keys with values`;
    }
    if (expected !== 'never') return `${what} lacks ${expected}`;
    return `${what} has no "${input}"; ${wayOn(String(input), Object.keys(entries))}`;
  });
}

/** What to write instead of a word that nobody knows. */
export function wayOn(word: string, known: readonly string[]): string {
  const like = nearest(word, known);
  if (like !== null) return `did you mean ${like}?`;
  if (known.length === 1) return `there is only ${known[0]}`;
  const shown = known.slice(0, wordsShownMax).join(', ');
  return known.length > wordsShownMax ? `there are ${shown} …` : `there are ${shown}`;
}

/** True also for what is no duration, of which that was said before. */
function isShort(text: string): boolean {
  if (!durationPattern.test(text)) return true;
  try {
    return parseDurationMs(text) >= 0;
  } catch {
    return false;
  }
}
