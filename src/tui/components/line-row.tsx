import { Text } from 'ink';
import { memo } from 'react';
import { fitLine, type Piece, type ScreenLine } from '../drawing/screen-line.ts';
import { lookOf, type Theme } from '../drawing/theme.ts';

export interface LineRowProps {
  readonly line: ScreenLine;
  readonly width: number;
  readonly theme: Theme;
  /** What is shown is old: nothing of it shall look alarming or fine. */
  readonly isStale?: boolean;
}

/** One row: one text exactly as wide as the terminal, which is what makes a redraw cheap. */
export const LineRow = memo(function LineRow({ line, width, theme, isStale }: LineRowProps) {
  const pieces = fitLine(line, width, theme);
  const tones = isStale ? pieces.map(({ text }) => ({ text, tone: 'dim' as const })) : pieces;
  const [only] = tones;
  if (only && tones.every(({ tone }) => tone === only.tone)) {
    const text = tones.map((each) => each.text).join('');
    return (
      <Text wrap="truncate" inverse={line.isSelected ?? false} {...lookOf(only.tone, theme)}>
        {text}
      </Text>
    );
  }
  return (
    <Text wrap="truncate" inverse={line.isSelected ?? false}>
      {joined(tones).map(({ text, tone }, at) => (
        <Text key={at} {...lookOf(tone, theme)}>
          {text}
        </Text>
      ))}
    </Text>
  );
});

/** Neighbours of one tone as one piece. */
function joined(pieces: readonly Piece[]): Piece[] {
  const all: Piece[] = [];
  for (const each of pieces) {
    const last = all.at(-1);
    if (last?.tone === each.tone) all[all.length - 1] = { ...each, text: last.text + each.text };
    else all.push(each);
  }
  return all;
}
