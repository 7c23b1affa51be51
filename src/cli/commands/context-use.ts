import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import {
  contextFile,
  contextNamed,
  readContextBook,
  writeContextBook,
} from '../contexts/context-book.ts';
import { required } from '../parameters.ts';
import { useBefore } from './context-back.ts';

/** Chooses a named cluster. */
export function contextUseCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'use',
    summary: 'choose a named cluster',
    description: [
      'Every later command goes to this cluster, unless a flag or a variable says otherwise. A single dash stands for the one in use before.',
    ],
    impact: 'rw',
    output: 'text',
    opensNothing: true,
    arguments: { name: required('the context, or -', { completes: 'context' }) },
    examples: [
      { run: 'backplane context use prod', shows: 'prod is in use from now on' },
      { run: 'backplane context use -', shows: 'the one before is in use again' },
    ],
    action: async ({ name }) => {
      if (name === '-') return useBefore(context);
      const { environment, home } = context.world;
      const file = contextFile(environment, home);
      const book = readContextBook(file);
      contextNamed(book, name);
      const previous = book.current === name ? book.previous : book.current;
      writeContextBook(file, { ...book, current: name, previous });
      await context.print.note(`context ${name} is in use`);
    },
  });
}
