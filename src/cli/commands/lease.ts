import { type CommandGroup, defineGroup } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { leaseAcquireCommand } from './lease-acquire.ts';
import { leaseHoldCommand } from './lease-hold.ts';
import { leaseMoveCommand } from './lease-move.ts';
import { leaseReleaseCommand } from './lease-release.ts';

/** Ownership, by hand. */
export function leaseCommand(context: CommandContext): CommandGroup {
  return defineGroup({
    name: 'lease',
    summary: 'take part in ownership by hand',
    description: [
      'Takes, holds, gives up or moves the ownership of a document. To see who owns it: backplane inspect lease DOC.',
    ],
    commands: [
      leaseAcquireCommand(context),
      leaseHoldCommand(context),
      leaseReleaseCommand(context),
      leaseMoveCommand(context),
    ],
  });
}
