import { Box } from 'ink';
import type { ReactNode } from 'react';
import type { Size } from './components/lines.tsx';

export interface FrameProps {
  readonly size: Size;
  readonly children: ReactNode;
}

/**
 * Fills the terminal exactly. A picture smaller than the terminal leaves debris behind when the
 * window is made narrower, because Ink erases by counting lines that have been wrapped since.
 */
export function Frame({ size, children }: FrameProps) {
  return (
    <Box flexDirection="column" width={size.columns} height={size.rows} overflow="hidden">
      {children}
    </Box>
  );
}
