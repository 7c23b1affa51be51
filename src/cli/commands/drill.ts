import { type CommandGroup, defineGroup } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { drillListCommand } from './drill-list.ts';
import { drillRunCommand } from './drill-run.ts';
import { drillShowCommand } from './drill-show.ts';

/** Failures that are rehearsed. */
export function drillCommand(context: CommandContext): CommandGroup {
  return defineGroup({
    name: 'drill',
    summary: 'rehearse failures, and give a verdict',
    description: [
      'A drill starts a cluster of real node processes and a real broker, puts a load on it, breaks it on purpose, and judges what survived by the laws. What it does is written in a scenario: one of those that come with the program, or a file of yours.',
    ],
    commands: [drillRunCommand(context), drillListCommand(context), drillShowCommand(context)],
  });
}
