import { Box } from 'ink';
import type { ScreenLine } from '../drawing/screen-line.ts';
import { blankLine } from '../drawing/screen-line.ts';
import type { Theme } from '../drawing/theme.ts';
import { LineRow } from './line-row.tsx';

export interface LinesProps {
  readonly lines: readonly ScreenLine[];
  readonly size: Size;
  readonly theme: Theme;
  readonly isStale?: boolean;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** Exactly as many rows as there is room for: too many are cut, too few are filled. */
export function Lines({ lines, size, theme, isStale = false }: LinesProps) {
  const rows = Array.from({ length: Math.max(0, size.rows) }, (_, at) => lines[at] ?? blankLine);
  return (
    <Box flexDirection="column">
      {rows.map((line, at) => (
        <LineRow key={at} line={line} width={size.columns} theme={theme} isStale={isStale} />
      ))}
    </Box>
  );
}
