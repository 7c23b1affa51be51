import { commandTable } from './command-table.ts';
import type { World } from './context.ts';
import { programHelp } from './help-page.ts';
import type { ProcessEvents } from './interruption.ts';

/** Runs one command line to its end and answers the exit code. Never throws. */
export async function runCli(
  args: readonly string[],
  world: World,
  events: ProcessEvents,
): Promise<number> {
  if (asksForHelp(args)) {
    // The page that people look at first needs neither the parser nor a command.
    await world.terminal.out.write(programHelp(commandTable, world.terminal.columns()));
    await world.terminal.out.flush();
    return 0;
  }
  const { CommandRun } = await import('./command-run.ts');
  return new CommandRun(args, world, events).run();
}

function asksForHelp([first, ...others]: readonly string[]): boolean {
  if (others.length > 0) return false;
  return first === undefined || first === '--help' || first === '-h' || first === 'help';
}
