import { formatDuration } from '../../foundation/duration.ts';
import { BackplaneError } from '../../foundation/errors.ts';
import { silenceFailure } from '../../operations/inspect/ask-every-node.ts';
import {
  comparePresence,
  listHubs,
  type PresenceComparison,
  type PresenceView,
} from '../../operations/inspect/compare-presence.ts';
import { sleep } from '../../ports/clock.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { printSelected, selectionOptions } from '../list-selection.ts';
import type { Column } from '../output/column.ts';
import { flag, option } from '../parameters.ts';
import { anyText } from '../parse-values.ts';

const columns: readonly Column<PresenceView>[] = [
  { key: 'hub', header: 'HUB', lengthMax: 40 },
  { key: 'nodeId', header: 'NODE', text: ({ nodeId }) => nodeId ?? '(nobody)' },
  { key: 'held', header: 'HOLDS', align: 'right' },
  { key: 'seenBy', header: 'SEEN BY' },
  { key: 'connections', header: 'SEES', align: 'right' },
  {
    key: 'agrees',
    header: 'AGREES',
    text: ({ agrees }) => (agrees ? 'yes' : 'no'),
    style: ({ agrees }) => (agrees ? 'good' : 'bad'),
  },
  { key: 'agreedAgoMs', header: 'SURE', align: 'right', text: agreedText },
  { key: 'session', header: 'SESSION', wide: true },
];

/** What is on its way when one looks is no disagreement. */
const looksMax = 3;
const pauseMs = 300;

/** Compares what nodes and the broker believe of each other's connections. */
export function inspectPresenceCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'presence',
    summary: "compare what the nodes and the broker believe of each other's connections",
    description: [
      'Asks every node what it holds and what it believes of the others, and the broker what is registered. Each line is what one of them sees of the connections that a node holds in a hub; SURE says how long ago it last was what the broker has.',
      'With --diff only those that disagree are listed, after looking three times, so that what was just on its way does not count; then it exits 9 when there are any, and 11 when some nodes did not answer.',
    ],
    impact: 'ro',
    output: 'listing',
    options: {
      hub: option('--hub <HUB>', 'only this hub', anyText),
      diff: flag('--diff', 'only who disagrees, and exit 9 if anybody does'),
      ...selectionOptions(columns),
    },
    examples: [
      { run: 'backplane inspect presence', shows: 'who believes what' },
      { run: 'backplane inspect presence --diff', shows: 'who is wrong, and for how long' },
    ],
    action: async (_, { hub, diff, ...options }) => {
      let seen: PresenceComparison = { views: [], silent: [] };
      const rows = async function* () {
        seen = await look(context, hub, diff);
        yield diff ? seen.views.filter(({ agrees }) => !agrees) : seen.views;
      };
      const empty = diff ? 'all agree' : 'no connections';
      await printSelected(context, { noun: 'views', columns, rows, empty }, options);
      const failure = silenceFailure(seen.silent);
      if (failure) throw failure;
      const wrong = seen.views.filter(({ agrees }) => !agrees).length;
      if (diff && wrong > 0) throw new BackplaneError('ASSERTION_FAILED', `${wrong} disagree`);
    },
  });
}

async function look(
  context: CommandContext,
  hub: string | undefined,
  again: boolean,
): Promise<PresenceComparison> {
  const { sessions, registry } = await context.engine();
  const visitor = await context.visitor();
  const { timeoutMs } = context.settings;
  const door = { sessions, registry, visitor };
  for (let looked = 1; ; looked += 1) {
    const hubs = hub === undefined ? await listHubs(registry) : [hub];
    const seen = await comparePresence(door, hubs, { timeoutMs });
    const isSettled = seen.silent.length > 0 || seen.views.every(({ agrees }) => agrees);
    if (!again || isSettled || looked === looksMax || context.signal.aborted) return seen;
    await sleep(context.clock, pauseMs, context.signal);
  }
}

function agreedText({ agreedAgoMs }: PresenceView): string {
  return agreedAgoMs === null ? '-' : `${formatDuration(agreedAgoMs)} ago`;
}
