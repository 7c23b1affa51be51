import { formatDuration } from '../../foundation/duration.ts';
import { BackplaneError } from '../../foundation/errors.ts';
import type { FigureBudgets, Scenario } from '../../verification/drills/scenario.ts';
import { scenarioNames } from '../../verification/drills/scenario-names.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { fieldLines, type Line } from '../output/styled-text.ts';
import { flag, optional } from '../parameters.ts';

/** Shows what a scenario does and what it proves. */
export function drillShowCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'show',
    summary: 'show what a scenario does, and why',
    description: [
      'Shows what a scenario proves, what users of comparable systems saw go wrong, its cluster, load, budgets and steps. With -o json it is the scenario as it is run, with every default filled in.',
      'A scenario of your own is a YAML or JSON file, or a module (.js, .mjs, .ts, .mts) whose default export is one and which is run to be read. Everything that is wrong with it is said with its line; exit 2. --source prints one as it is written, to begin with; --schema prints the JSON schema of scenarios, for editors.',
    ],
    impact: 'ro',
    output: 'report',
    arguments: {
      scenario: optional('its name, or a file', { completes: scenarioNames }),
    },
    options: {
      source: flag('--source', 'print it as it is written'),
      schema: flag('--schema', 'print the JSON schema of scenarios'),
    },
    examples: [
      { run: 'backplane drill show owner-crash', shows: 'what it does and what it proves' },
      {
        run: 'backplane drill show owner-crash --source > mine.yaml',
        shows: 'the beginning of a scenario of your own',
      },
      { run: 'backplane drill show mine.yaml', shows: 'whether it can be run' },
      {
        run: 'backplane drill show --schema > drill-scenario.schema.json',
        shows: 'what an editor completes and checks scenarios by',
      },
    ],
    action: async ({ scenario: name }, { source, schema }) => {
      if (schema) return printSchema(context, name);
      if (name === undefined) throw nothingToShow();
      const { findScenario } = await import('../../verification/drills/find-scenario.ts');
      const { knownFaults } = await import('../../verification/drills/known-faults.ts');
      const found = await findScenario(name, { faults: knownFaults });
      if (source) return context.print.text(found.source);
      const { expectedMs } = await import('../../verification/drills/scenario-time.ts');
      const { stepsInWords } = await import('../../verification/drills/steps-in-words.ts');
      const steps = stepsInWords(found.scenario.steps);
      const aboutMs = expectedMs(found.scenario);
      await context.print.report(found.scenario, (scenario) => asLines(scenario, steps, aboutMs));
    },
  });
}

async function printSchema(context: CommandContext, name: string | undefined): Promise<void> {
  if (name !== undefined) {
    throw new BackplaneError('USAGE', '--schema is about all scenarios, not about one', {
      remedy: 'backplane drill show --schema',
    });
  }
  const { readScenarioSchema } = await import('../../verification/drills/scenario-schema-file.ts');
  await context.print.text(await readScenarioSchema());
}

function nothingToShow(): BackplaneError {
  return new BackplaneError('USAGE', 'no scenario was named', {
    remedy: 'backplane drill list names those that come with the program',
  });
}

function asLines(scenario: Scenario, steps: readonly string[], aboutMs: number): Line[] {
  const { name, summary, proves, elsewhere, cluster, budgets } = scenario;
  const { nodes, broker, store, serve } = cluster;
  const flags = Object.entries(serve).map(([flag, value]) => `--${flag} ${value}`);
  return [
    [{ text: name, style: 'bold' }, `: ${summary}`],
    ...paragraph('What a pass proves', proves),
    ...paragraph('What went wrong elsewhere', elsewhere),
    ...paragraph('Steps', steps.join('\n')),
    '',
    ...fieldLines([
      ['nodes', [String(nodes), ...flags].join('  ')],
      ['broker', broker],
      ['store', store],
      ['load', loadText(scenario)],
      ['budgets', budgetText(budgets)],
      ['takes', `about ${formatDuration(Math.round(aboutMs / 1_000) * 1_000)}`],
    ]),
  ];
}

function paragraph(title: string, text: string): Line[] {
  if (text === '') return [];
  return ['', [{ text: title, style: 'bold' }], ...text.split('\n').map((line) => `  ${line}`)];
}

function loadText({ workload }: Scenario): string {
  const { documents, peers, followers, opsPerSecond, payloadBytes, ownedBy } = workload;
  const { awarenessPerSecond, requestsPerSecond, requestTimeoutMs } = workload;
  return [
    `${opsPerSecond} ops/s of ${payloadBytes} bytes to ${documents} documents`,
    `${peers} peers, ${followers} at each document`,
    `${awarenessPerSecond} awareness states/s`,
    `${requestsPerSecond} requests/s with ${formatDuration(requestTimeoutMs)} to answer`,
    ...(ownedBy === null ? [] : [`everything owned by ${ownedBy} at first`]),
  ].join('; ');
}

function budgetText(budgets: FigureBudgets): string | null {
  const given = Object.entries(budgets).map(
    ([key, ms]) => `${key.replace(/Ms$/, '')} ${formatDuration(ms)}`,
  );
  return given.length === 0 ? null : given.join(', ');
}
