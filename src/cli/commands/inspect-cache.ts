import { silenceFailure } from '../../operations/inspect/ask-every-node.ts';
import { listCaches } from '../../operations/inspect/list-caches.ts';
import type { CacheRegionReport } from '../../runtime/cache/cache.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { printSelected, selectionOptions } from '../list-selection.ts';
import type { Column } from '../output/column.ts';

const columns: readonly Column<CacheRegionReport>[] = [
  { key: 'region', header: 'REGION' },
  { key: 'nodeId', header: 'NODE' },
  {
    key: 'state',
    header: 'STATE',
    style: ({ state }) => (state === 'current' ? 'good' : 'warning'),
  },
  { key: 'entries', header: 'SIZE', align: 'right' },
  { key: 'hits', header: 'HITS', align: 'right' },
  { key: 'misses', header: 'MISSES', align: 'right' },
  { key: 'hitRate', header: 'HIT RATE', align: 'right', text: ({ hitRate }) => percent(hitRate) },
  { key: 'evictionsHeard', header: 'EVICTIONS', align: 'right' },
  { key: 'echoFactor', header: 'ECHO', align: 'right' },
  { key: 'gaps', header: 'GAPS', align: 'right' },
  { key: 'flushes', header: 'FLUSHES', align: 'right' },
  { key: 'inDoubt', header: 'IN DOUBT', align: 'right' },
  { key: 'entriesMax', header: 'SIZE MAX', align: 'right', wide: true },
  { key: 'loads', header: 'LOADS', align: 'right', wide: true },
  { key: 'joined', header: 'JOINED', align: 'right', wide: true },
  { key: 'loadFailures', header: 'FAILED', align: 'right', wide: true },
  { key: 'l2', header: 'L2', wide: true },
  { key: 'l2Hits', header: 'L2 HITS', align: 'right', wide: true },
  { key: 'l2Refused', header: 'L2 REFUSED', align: 'right', wide: true },
  { key: 'l2Failures', header: 'L2 FAILED', align: 'right', wide: true },
  { key: 'evictionsSent', header: 'SENT', align: 'right', wide: true },
  { key: 'stamp', header: 'STAMP', align: 'right', wide: true },
  { key: 'confirmedAgoMs', header: 'CONFIRMED MS', align: 'right', wide: true },
  { key: 'stalenessMs', header: 'STALENESS MS', align: 'right', wide: true },
  { key: 'whenCut', header: 'WHEN CUT', wide: true },
];

/** Lists the cache regions of every node. */
export function inspectCacheCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'cache',
    summary: 'list the cache regions of every node',
    description: [
      'Lists each region of each node since that node started: hits and misses, values held, announcements of evictions heard, and how many of these per eviction (the echo factor: 1 when each came exactly once). A gap is an announcement that was missed; the region of that node was then emptied, which counts as a flush. In doubt are gets for which no recent proof existed that no eviction was missed.',
      'Exits 11 when some nodes did not answer.',
    ],
    impact: 'ro',
    output: 'listing',
    options: selectionOptions(columns),
    examples: [
      { run: 'backplane inspect cache', shows: 'every region of every node' },
      { run: "backplane inspect cache --filter 'gaps>0'", shows: 'who missed evictions' },
      { run: 'backplane inspect cache --sort hitRate -o json', shows: 'the worst first' },
    ],
    action: async (_, options) => {
      const { sessions } = await context.engine();
      const visitor = await context.visitor();
      const { timeoutMs } = context.settings;
      let silent: readonly string[] = [];
      const rows = async function* () {
        const listing = await listCaches({ sessions, visitor }, { timeoutMs });
        silent = listing.silent;
        yield listing.rows;
      };
      const listing = { noun: 'caches', columns, rows, empty: 'no cache regions' };
      await printSelected(context, listing, options);
      const failure = silenceFailure(silent);
      if (failure) throw failure;
    },
  });
}

function percent(share: number | null): string {
  return share === null ? '-' : `${(share * 100).toFixed(1)}%`;
}
