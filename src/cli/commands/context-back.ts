import { BackplaneError } from '../../foundation/errors.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import {
  contextFile,
  contextNamed,
  readContextBook,
  writeContextBook,
} from '../contexts/context-book.ts';

/** Chooses the cluster that was in use before. */
export function contextBackCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: '-',
    summary: 'choose the cluster in use before',
    description: ['As cd - does: twice leads back to where you are.'],
    impact: 'rw',
    output: 'text',
    opensNothing: true,
    examples: [
      { run: 'backplane context -', shows: 'the one before is in use again' },
      { run: 'backplane context - --debug', shows: 'the same, with a stack should it fail' },
    ],
    action: () => useBefore(context),
  });
}

export async function useBefore(context: CommandContext): Promise<void> {
  const { environment, home } = context.world;
  const file = contextFile(environment, home);
  const book = readContextBook(file);
  if (book.previous === null) {
    throw new BackplaneError('CONTEXT_UNKNOWN', 'no context was in use before', {
      remedy: 'choose one: backplane context ls',
    });
  }
  contextNamed(book, book.previous);
  writeContextBook(file, { ...book, current: book.previous, previous: book.current });
  await context.print.note(`context ${book.previous} is in use`);
}
