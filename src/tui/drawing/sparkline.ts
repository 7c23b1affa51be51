import { glyphsOf, type Theme } from './theme.ts';

/**
 * The last values as one character each, the latest at the right end; a gap where nothing is
 * known. The scale begins at 0 and ends at the greatest value, so that a flat line is flat.
 */
export function sparkline(values: readonly (number | null)[], width: number, theme: Theme): string {
  const { levels } = glyphsOf(theme);
  const last = values.slice(-Math.max(0, width));
  const top = Math.max(0, ...last.map((value) => value ?? 0));
  const drawn = last.map((value) => {
    if (value === null) return ' ';
    if (top === 0) return levels[0] as string;
    return levels[Math.min(levels.length - 1, Math.floor((value / top) * levels.length))] as string;
  });
  return drawn.join('').padStart(Math.max(0, width), ' ');
}
