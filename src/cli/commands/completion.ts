import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import { completionScripts, type Shell, shells } from '../completion/completion-scripts.ts';
import type { CommandContext } from '../context.ts';
import { required } from '../parameters.ts';
import { oneOf } from '../parse-values.ts';

export function completionCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'completion',
    summary: 'print the completion script of a shell',
    description: [
      'Prints a script that completes commands, options, and the names of documents and nodes of the cluster that --url or BACKPLANE_URL names. Names are looked up at most half a second; looking changes nothing.',
    ],
    impact: 'ro',
    output: 'text',
    opensNothing: true,
    arguments: {
      shell: required(shells.join(', '), { parse: oneOf<Shell>(...shells), completes: shells }),
    },
    examples: [
      { run: 'source <(backplane completion bash)', shows: 'completion in this bash' },
      {
        run: 'backplane completion fish >~/.config/fish/completions/backplane.fish',
        shows: 'completion in every fish',
      },
    ],
    action: async ({ shell }) => {
      await context.print.text(completionScripts[shell]);
    },
  });
}
