import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import {
  contextFile,
  contextNamed,
  readContextBook,
  writeContextBook,
} from '../contexts/context-book.ts';
import { required } from '../parameters.ts';

/** Forgets a name. */
export function contextRmCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'rm',
    summary: 'forget the name of a cluster',
    description: ['Removes the context from the list. The cluster knows nothing of it.'],
    impact: 'rw',
    output: 'text',
    opensNothing: true,
    arguments: { name: required('the context', { completes: 'context' }) },
    examples: [
      { run: 'backplane context rm laptop', shows: 'the name is gone' },
      { run: 'backplane context rm prod --debug', shows: 'the same, with a stack should it fail' },
    ],
    action: async ({ name }) => {
      const { environment, home } = context.world;
      const file = contextFile(environment, home);
      const book = readContextBook(file);
      contextNamed(book, name);
      const { [name]: _gone, ...contexts } = book.contexts;
      const kept = (other: string | null) => (other === name ? null : other);
      const [current, previous] = [kept(book.current), kept(book.previous)];
      writeContextBook(file, { version: 1, current, previous, contexts });
      await context.print.note(`context ${name} is forgotten`);
    },
  });
}
