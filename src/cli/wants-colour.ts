import type { ColorChoice } from './global-options.ts';
import type { Environment } from './option-values.ts';

/** `--color` decides; `auto` means a terminal that can, and no NO_COLOR (no-color.org). */
export function wantsColour(
  choice: ColorChoice,
  environment: Environment,
  isTerminal: boolean,
): boolean {
  if (choice !== 'auto') return choice === 'always';
  if (environment.NO_COLOR !== undefined && environment.NO_COLOR !== '') return false;
  return isTerminal && environment.TERM !== 'dumb';
}
