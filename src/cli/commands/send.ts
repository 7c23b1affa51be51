import { checkPayload } from '../../operations/act/check-payload.ts';
import { parseConnectionTarget, withinHub } from '../../operations/act/connection-target.ts';
import { reachConnections, reachFailure } from '../../operations/act/reach-connections.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import { freshFlag } from '../connection-options.ts';
import type { CommandContext } from '../context.ts';
import { reachLines } from '../output/reach-lines.ts';
import { option, required } from '../parameters.ts';
import { anyText } from '../parse-values.ts';

/** The words a target begins with. */
export const targetWords = ['conn:', 'user:', 'group:', 'attr:', 'hub:', 'all'];

/** Hands a message to connections. */
export function sendCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'send',
    summary: 'send a message to connections, on whatever node they are',
    description: [
      'Hands a message to one connection (conn:ID), to all of a user (user:NAME), of a group (group:NAME), with an attribute (attr:NAME=PATTERN), of a hub (hub:NAME), or to everyone (all), at most once to each. No answer is waited for.',
      'Exits 4 when nobody matches, 11 when some of them were not reached.',
    ],
    impact: 'rw',
    output: 'report',
    arguments: {
      target: required('conn:ID, user:NAME, group:NAME, attr:NAME=PATTERN, hub:NAME or all', {
        parse: parseConnectionTarget,
        completes: targetWords,
      }),
      payload: required('the message, usually JSON', {
        parse: (text) => checkPayload(Buffer.from(text)),
      }),
    },
    options: {
      hub: option('--hub <HUB>', 'only connections in this hub', anyText),
      fresh: freshFlag,
    },
    examples: [
      { run: `backplane send user:ann '{"hi":"ann"}'`, shows: 'a message to a user' },
      { run: `backplane send group:editors '"save now"'`, shows: 'a message to a group' },
      { run: `backplane send all '"maintenance at noon"'`, shows: 'a message to everyone' },
    ],
    action: async ({ target, payload }, { hub, fresh }) => {
      const { sessions } = await context.engine();
      const visitor = await context.visitor();
      const { timeoutMs } = context.settings;
      const reach = { how: 'send', method: null, payload, fresh } as const;
      const report = await reachConnections(
        { sessions, visitor },
        { ...reach, target: withinHub(target, hub) },
        { timeoutMs, signal: context.signal },
      );
      await context.print.report(report, reachLines);
      const failure = reachFailure(report);
      if (failure) throw failure;
    },
  });
}
