import { Text } from 'ink';
import { memo } from 'react';
import { fitLine, type ScreenLine } from '../drawing/screen-line.ts';
import { inverted, type Theme, toned } from '../drawing/theme.ts';

export interface LineRowProps {
  readonly line: ScreenLine;
  readonly width: number;
  readonly theme: Theme;
  /** What is shown is old: nothing of it shall look alarming or fine. */
  readonly isStale?: boolean;
}

/** One row: one text exactly as wide as the terminal, which is what makes a redraw cheap. */
export const LineRow = memo(function LineRow({ line, width, theme, isStale }: LineRowProps) {
  const text = fitLine(line, width, theme)
    .map((piece) => toned(piece.text, isStale ? 'dim' : piece.tone, theme))
    .join('');
  return <Text wrap="truncate">{line.isSelected ? inverted(text) : text}</Text>;
});
