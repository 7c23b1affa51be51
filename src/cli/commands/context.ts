import { type CommandGroup, defineGroup } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { contextAddCommand } from './context-add.ts';
import { contextBackCommand } from './context-back.ts';
import { contextLsCommand } from './context-ls.ts';
import { contextRmCommand } from './context-rm.ts';
import { contextShowCommand } from './context-show.ts';
import { contextUseCommand } from './context-use.ts';
import { contextValidateCommand } from './context-validate.ts';

/** Named clusters. */
export function contextCommand(context: CommandContext): CommandGroup {
  return defineGroup({
    name: 'context',
    summary: 'name clusters, and choose one',
    description: [
      'A context is a name for a cluster: its --url, --store, --prefix, --data-dir, --broker-port and --timeout, and where its secrets are. Flag beats environment beats context beats default.',
      'Contexts are kept in contexts.json in the XDG configuration folder, or in the file that BACKPLANE_CONTEXTS names. It holds no secret: a password or token is named as env:NAME or file:PATH, read when it is needed, and never printed.',
    ],
    commands: [
      contextAddCommand(context),
      contextUseCommand(context),
      contextBackCommand(context),
      contextLsCommand(context),
      contextShowCommand(context),
      contextValidateCommand(context),
      contextRmCommand(context),
    ],
  });
}
