import { CommanderError } from 'commander';
import { invariant } from '../foundation/assert.ts';
import { commandTable, hiddenCommands } from './command-table.ts';
import type { CommandContext } from './context.ts';
import { buildProgram } from './program.ts';
import { commandAt, usageError } from './usage-error.ts';

/** The help of a command, named by the words of its path. Throws USAGE for an unknown one. */
export async function helpText(path: readonly string[], context: CommandContext): Promise<string> {
  let text = '';
  const program = buildProgram(commandTable, hiddenCommands, {
    version: context.world.about.version,
    columns: context.terminal.columns(),
    load: async (entry) => (await entry.load())(context),
    run: async () => invariant(false, '--help runs no command'),
    print: (part) => {
      text += part;
    },
  });
  try {
    await program.parseAsync([...path, '--help'], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const problem = usageError(error, commandAt(program));
    if (problem !== null) throw problem;
  }
  return text;
}
