import { formatDuration } from '../../foundation/duration.ts';
import { BackplaneError } from '../../foundation/errors.ts';
import { checkCacheKey } from '../../foundation/identifiers.ts';
import { silenceFailure } from '../../operations/inspect/ask-every-node.ts';
import {
  type CacheProbeReport,
  type NodeProbe,
  probeCache,
} from '../../operations/inspect/probe-cache.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import type { Line, Style } from '../output/styled-text.ts';
import { required } from '../parameters.ts';
import { regionOption } from './cache-evict.ts';

/** Compares what the nodes hold. */
export function cacheProbeCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'probe',
    summary: 'compare what each node holds for a key',
    description: [
      'Asks every node of the region what it holds: a hash of the value, never the value; how old it is; and how many evictions it has heard of. Nothing is loaded. A node is stale when it holds another value than the backplane, or, where nothing is shared, than the node that loaded last; cut when it cannot prove that what it holds is current, and so does not serve it.',
      'Exits 4 when no node has the region, 11 when some did not answer: they are named.',
    ],
    impact: 'ro',
    output: 'report',
    arguments: { key: required('the key', { parse: checkCacheKey }) },
    options: { region: regionOption },
    examples: [
      {
        run: 'backplane cache probe user:42 --region users',
        shows: 'who holds what, and since when',
      },
      {
        run: 'backplane cache probe user:42 --region users -o json',
        shows: 'the same for programs',
      },
    ],
    action: async ({ key }, { region }) => {
      if (region === undefined) throw new BackplaneError('USAGE', 'cache probe needs --region');
      const { sessions, cacheRecords } = await context.engine();
      const visitor = await context.visitor();
      const door = { sessions, cacheRecords, visitor };
      const { timeoutMs } = context.settings;
      const { signal } = context;
      const report = await probeCache(door, region, key, { timeoutMs, signal });
      await context.print.report(report, asLines);
      const failure = silenceFailure(report.silent);
      if (failure) throw failure;
    },
  });
}

function asLines({ stamp, sharedHash, nodes, silent }: CacheProbeReport): Line[] {
  const width = Math.max(...[...nodes.map(({ nodeId }) => nodeId), ...silent].map((n) => n.length));
  return [
    [
      { text: 'backplane'.padEnd(width), style: 'dim' },
      `  ${sharedHash ?? 'nothing shared'.padEnd(12)}`,
      ...(stamp === null ? [] : [`  eviction ${stamp}`]),
    ],
    ...nodes.map((node) => nodeLine(node, width)),
    ...silent.map((nodeId): Line => {
      return [{ text: `${nodeId.padEnd(width)}  did not answer`, style: 'bad' }];
    }),
  ];
}

const styles: Record<NodeProbe['verdict'], Style> = {
  absent: 'dim',
  cut: 'warning',
  stale: 'bad',
  current: 'good',
};

function nodeLine(node: NodeProbe, width: number): Line {
  const { nodeId, held, hash, ageMs, stamp, behind, verdict } = node;
  const about = held ? `${hash ?? 'no hash'}  loaded ${formatDuration(ageMs ?? 0)} ago` : '-';
  const missing = behind > 0 ? `, ${behind} behind` : '';
  return [
    `${nodeId.padEnd(width)}  `,
    { text: verdict.padEnd(7), style: styles[verdict] },
    `  ${about}  eviction ${stamp ?? 'unknown'}${missing}`,
  ];
}
