import { parseDurationMs } from '../../foundation/duration.ts';
import { dials } from '../../foundation/limits.ts';
import {
  listNodes,
  type NodeReport,
  type NodeState,
  nodeStates,
} from '../../operations/inspect/list-nodes.ts';
import { missingNodes, parseExpectedNodes } from '../../operations/inspect/missing-nodes.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { printSelected, selectionOptions } from '../list-selection.ts';
import type { Column } from '../output/column.ts';
import { ago, agoSince } from '../output/relative-time.ts';
import type { Style } from '../output/styled-text.ts';
import { flag, option, optionList, optionWithDefault } from '../parameters.ts';
import { oneOf } from '../parse-values.ts';

/** Two missed heartbeats make a node silent, so looking needs to know how often nodes beat. */
export const heartbeatOption = optionWithDefault(
  '--heartbeat <DURATION>',
  'how often the nodes of this cluster beat',
  parseDurationMs,
  { env: 'BACKPLANE_HEARTBEAT', fallback: dials.heartbeatMs, fallbackText: '5s' },
);

const columns: readonly Column<NodeReport>[] = [
  { key: 'nodeId', header: 'NODE' },
  { key: 'state', header: 'STATE', text: stateText, style: ({ state }) => nodeStyle(state) },
  { key: 'address', header: 'ADDRESS' },
  { key: 'pid', header: 'PID', align: 'right' },
  { key: 'documents', header: 'DOCUMENTS', align: 'right' },
  { key: 'connections', header: 'CONNECTIONS', align: 'right' },
  { key: 'lastBeatAgoMs', header: 'LAST BEAT', text: ({ lastBeatAgoMs }) => ago(lastBeatAgoMs) },
  { key: 'startedAt', header: 'STARTED', text: ({ startedAt }, now) => agoSince(startedAt, now) },
  { key: 'version', header: 'VERSION' },
  { key: 'session', header: 'SESSION', wide: true },
  { key: 'cause', header: 'CAUSE', wide: true },
  { key: 'configHash', header: 'CONFIG', wide: true },
  { key: 'protocol', header: 'PROTOCOL', wide: true },
  { key: 'deaf', header: 'DEAF', wide: true },
  { key: 'draining', header: 'DRAINING', wide: true },
  { key: 'duplicate', header: 'DUPLICATE', wide: true },
];

/** Lists the nodes of the cluster. */
export function inspectNodesCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'nodes',
    summary: 'list the nodes of the cluster',
    description: [
      'Lists every session of every node. A node is live; silent when it missed two heartbeats; deaf when it does not hear its own subscriptions; draining while it stops; dead when its session expired or was fenced.',
      'Nodes that stopped cleanly are left out unless --all or --state dead asks for them.',
      'With --expect it exits 11 when nodes are missing, and names them. Who is dead or silent is missing.',
    ],
    impact: 'ro',
    output: 'listing',
    options: {
      all: flag('--all', 'also nodes that stopped cleanly'),
      state: optionList('--state <STATE>', 'only nodes in this state', oneOf(...nodeStates), {
        completes: nodeStates,
      }),
      expect: option(
        '--expect <NODES>',
        'how many there should be, or their names: 3, or web-1,web-2',
        parseExpectedNodes,
      ),
      heartbeat: heartbeatOption,
      ...selectionOptions(columns),
    },
    examples: [
      { run: 'backplane inspect nodes', shows: 'who is there' },
      { run: 'backplane inspect nodes --state silent --state deaf', shows: 'who is in trouble' },
      { run: 'backplane inspect nodes --expect 3', shows: 'whether all three are there' },
      { run: 'backplane inspect nodes --sort -documents -o json', shows: 'the busiest first' },
    ],
    action: async (_, options) => {
      const { sessions } = await context.engine();
      const query = {
        all: options.all,
        states: options.state as readonly NodeState[],
        heartbeatMs: options.heartbeat,
      };
      const rows = async function* () {
        yield await listNodes(sessions, query);
      };
      await printSelected(context, { noun: 'nodes', columns, rows, empty: 'no nodes' }, options);
      if (options.expect === undefined) return;
      const all = await listNodes(sessions, { all: true, heartbeatMs: options.heartbeat });
      const missing = missingNodes(all, options.expect);
      if (missing) throw missing;
    },
  });
}

export function stateText({ state, cause, duplicate }: NodeReport): string {
  const shown = cause === null ? state : `${state} (${cause})`;
  return duplicate ? `${shown}, duplicate id` : shown;
}

export function nodeStyle(state: NodeState): Style {
  switch (state) {
    case 'live':
      return 'good';
    case 'draining':
      return 'dim';
    case 'silent':
    case 'deaf':
      return 'warning';
    case 'dead':
      return 'bad';
  }
}
