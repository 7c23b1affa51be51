import { type CommandGroup, defineGroup } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { cacheEvictCommand } from './cache-evict.ts';
import { cacheProbeCommand } from './cache-probe.ts';

/** What can be done to the nodes' caches. */
export function cacheCommand(context: CommandContext): CommandGroup {
  return defineGroup({
    name: 'cache',
    summary: "evict values from the nodes' caches, or compare what they hold",
    description: [
      'Nodes keep values in cache regions, which their application makes with createCache. What one of them evicts, all evict.',
    ],
    commands: [cacheEvictCommand(context), cacheProbeCommand(context)],
  });
}
