import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { About, CommandContext } from '../context.ts';
import type { Line } from '../output/styled-text.ts';

export function versionCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'version',
    summary: 'print the version',
    description: ['Prints the version of this tool, and of the Node.js it runs on.'],
    impact: 'ro',
    output: 'report',
    opensNothing: true,
    examples: [
      { run: 'backplane version', shows: 'the version' },
      { run: 'backplane version -o json', shows: 'the same for a program' },
    ],
    action: async () => {
      await context.print.report(context.world.about, asLines);
    },
  });
}

function asLines(report: About): Line[] {
  return [`backplane ${report.version} (Node.js ${report.node}, ${report.platform})`];
}
