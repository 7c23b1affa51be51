import { type CommandGroup, defineGroup } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { inspectChannelsCommand } from './inspect-channels.ts';
import { inspectDocCommand } from './inspect-doc.ts';
import { inspectDocsCommand } from './inspect-docs.ts';
import { inspectLeaseCommand } from './inspect-lease.ts';
import { inspectLeasesCommand } from './inspect-leases.ts';
import { inspectNodeCommand } from './inspect-node.ts';
import { inspectNodesCommand } from './inspect-nodes.ts';
import { inspectReachabilityCommand } from './inspect-reachability.ts';

/** Everything that can be looked at. */
export function inspectCommand(context: CommandContext): CommandGroup {
  return defineGroup({
    name: 'inspect',
    summary: 'look at nodes, leases, documents and channels',
    description: [
      'Looks at the cluster and changes nothing: above all, it never acquires a lease.',
    ],
    commands: [
      inspectNodesCommand(context),
      inspectLeasesCommand(context),
      inspectDocsCommand(context),
      inspectChannelsCommand(context),
      inspectReachabilityCommand(context),
      inspectNodeCommand(context),
      inspectLeaseCommand(context),
      inspectDocCommand(context),
    ],
  });
}
