import { BackplaneError } from '../foundation/errors.ts';
import type { CommandDefinition, OutputKind } from './command-definition.ts';
import type { OutputFormat } from './global-options.ts';

/** Which formats make sense for which kind of output. */
export const formatsOfKind: Record<OutputKind, readonly OutputFormat[]> = {
  listing: ['table', 'wide', 'json', 'jsonl', 'csv', 'yaml'],
  report: ['table', 'wide', 'json', 'jsonl', 'yaml'],
  stream: ['table', 'wide', 'json', 'jsonl', 'csv'],
  text: ['table'],
};

/** Refuses a format before the command does anything. Throws USAGE. */
export function checkOutputFormat(command: CommandDefinition, format: OutputFormat): void {
  const formats = formatsOfKind[command.output];
  if (formats.includes(format)) return;
  throw new BackplaneError('USAGE', `--output: "${command.name}" cannot print ${format}`, {
    remedy:
      formats.length === 1 ? 'leave out --output' : `use --output ${formats.slice(2).join(', ')}`,
  });
}
