import { type CommandGroup, defineGroup } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { inspectAwarenessCommand } from './inspect-awareness.ts';
import { inspectCacheCommand } from './inspect-cache.ts';
import { inspectChannelsCommand } from './inspect-channels.ts';
import { inspectConnectionsCommand } from './inspect-connections.ts';
import { inspectDocCommand } from './inspect-doc.ts';
import { inspectDocsCommand } from './inspect-docs.ts';
import { inspectGroupsCommand } from './inspect-groups.ts';
import { inspectLeaseCommand } from './inspect-lease.ts';
import { inspectLeasesCommand } from './inspect-leases.ts';
import { inspectNodeCommand } from './inspect-node.ts';
import { inspectNodesCommand } from './inspect-nodes.ts';
import { inspectPresenceCommand } from './inspect-presence.ts';
import { inspectReachabilityCommand } from './inspect-reachability.ts';
import { inspectRelayCommand } from './inspect-relay.ts';
import { inspectUsersCommand } from './inspect-users.ts';

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
      inspectConnectionsCommand(context),
      inspectUsersCommand(context),
      inspectGroupsCommand(context),
      inspectPresenceCommand(context),
      inspectAwarenessCommand(context),
      inspectCacheCommand(context),
      inspectRelayCommand(context),
      inspectReachabilityCommand(context),
      inspectNodeCommand(context),
      inspectLeaseCommand(context),
      inspectDocCommand(context),
    ],
  });
}
