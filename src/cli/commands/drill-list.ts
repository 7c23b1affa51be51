import { formatDuration } from '../../foundation/duration.ts';
import type { FaultRow } from '../../verification/drills/fault-rows.ts';
import type { ScenarioRow } from '../../verification/drills/scenario-rows.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import type { Column } from '../output/column.ts';
import { flag } from '../parameters.ts';

const scenarioColumns: readonly Column<ScenarioRow>[] = [
  { key: 'name', header: 'SCENARIO' },
  {
    key: 'aboutMs',
    header: 'ABOUT',
    align: 'right',
    text: ({ aboutMs }) => formatDuration(Math.round(aboutMs / 1_000) * 1_000),
  },
  { key: 'broker', header: 'BROKER' },
  { key: 'store', header: 'STORE', wide: true },
  { key: 'nodes', header: 'NODES', align: 'right', wide: true },
  { key: 'documents', header: 'DOCUMENTS', align: 'right', wide: true },
  { key: 'summary', header: 'WHAT HAPPENS' },
];

const faultColumns: readonly Column<FaultRow>[] = [
  { key: 'name', header: 'FAULT' },
  { key: 'on', header: 'ON' },
  { key: 'parameters', header: 'PARAMETERS' },
  { key: 'summary', header: 'WHAT IT DOES' },
];

/** Lists the scenarios, or the faults they are made of. */
export function drillListCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'list',
    summary: 'list the scenarios, or the faults',
    description: [
      'Lists the scenarios that come with the program, with about how long each takes and the broker it needs: "any" runs on the embedded broker and on a Redis, "pair" starts a Redis with a replica.',
      'With --faults it lists what the steps of a scenario can do instead, with the parameters each fault takes and their defaults.',
    ],
    impact: 'ro',
    output: 'listing',
    options: { faults: flag('--faults', 'list the faults that scenarios are made of') },
    examples: [
      { run: 'backplane drill list', shows: 'every scenario' },
      { run: 'backplane drill list --faults', shows: 'every fault and its parameters' },
      { run: 'backplane drill list -o json', shows: 'the same for programs' },
    ],
    // What reads scenarios, and every fault, is loaded here and not before.
    action: async (_, { faults }) => {
      const { knownFaults } = await import('../../verification/drills/known-faults.ts');
      if (faults) {
        const { faultRows } = await import('../../verification/drills/fault-rows.ts');
        const rows = faultRows(knownFaults);
        await context.print.listing({ noun: 'faults', columns: faultColumns, rows });
        return;
      }
      const { scenarioRows } = await import('../../verification/drills/scenario-rows.ts');
      const rows = await scenarioRows(knownFaults);
      await context.print.listing({ noun: 'scenarios', columns: scenarioColumns, rows });
    },
  });
}
