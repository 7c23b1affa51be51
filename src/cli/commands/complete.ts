import { sleep } from '../../ports/clock.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import { candidatesFor } from '../completion/candidates.ts';
import { liveNames } from '../completion/live-names.ts';
import type { CommandContext } from '../context.ts';
import { contextFile, readContextBook } from '../contexts/context-book.ts';
import { loadCommands } from '../load-commands.ts';
import { restOrNone } from '../parameters.ts';

/** Somebody waits at a prompt: names that take longer than this are not offered. */
const patienceMs = 1_000;

/** Answers a completion script: one candidate a line. What cannot be found out is left out. */
export function completeCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: '__complete',
    summary: 'answer a completion script',
    description: ['Prints what may stand where the cursor is, one candidate a line.'],
    impact: 'ro',
    output: 'text',
    hidden: true,
    arguments: { words: restOrNone('the words before the cursor, after --') },
    examples: [],
    action: async ({ words }) => {
      const { words: found, live } = candidatesFor(await loadCommands(context), words);
      const names = live === null ? [] : await namesInTime(context, live, words.at(-1) ?? '');
      await context.print.lines([...found, ...names]);
    },
  });
}

async function namesInTime(
  context: CommandContext,
  live: 'doc' | 'node' | 'region' | 'context' | 'file',
  start: string,
): Promise<string[]> {
  if (live === 'file') return [':files'];
  if (live === 'context') {
    const { environment, home } = context.world;
    const names = Object.keys(readContextBook(contextFile(environment, home)).contexts);
    return names.filter((name) => name.startsWith(start));
  }
  const nothing = sleep(context.clock, patienceMs, context.signal).then((): string[] => []);
  // Without a cluster there are no names; a shell has no use for the reason.
  const names = liveNames(context.engine(), live, start).catch((): string[] => []);
  return Promise.race([names, nothing]);
}
