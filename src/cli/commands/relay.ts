import { type CommandGroup, defineGroup } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { relayPingCommand } from './relay-ping.ts';

/** What can be done about the relay besides looking at it. */
export function relayCommand(context: CommandContext): CommandGroup {
  return defineGroup({
    name: 'relay',
    summary: 'measure the way of relay frames between nodes',
    description: [
      'Measures. To see workspaces, their daemons and queues: backplane inspect relay.',
    ],
    commands: [relayPingCommand(context)],
  });
}
