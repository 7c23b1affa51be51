import { type CommandGroup, defineGroup } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { planFailoverCommand } from './plan-failover.ts';

/** What would happen, before it does. */
export function planCommand(context: CommandContext): CommandGroup {
  return defineGroup({
    name: 'plan',
    summary: 'say how long a failure would take',
    description: ['Reckons from the settings of the running cluster, and changes nothing.'],
    commands: [planFailoverCommand(context)],
  });
}
