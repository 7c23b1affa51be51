import { checkMethodName } from '../../operations/act/call-method.ts';
import { checkPayload } from '../../operations/act/check-payload.ts';
import { parseConnectionTarget, withinHub } from '../../operations/act/connection-target.ts';
import { reachConnections, reachFailure } from '../../operations/act/reach-connections.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import { freshFlag } from '../connection-options.ts';
import type { CommandContext } from '../context.ts';
import { reachLines } from '../output/reach-lines.ts';
import { flag, option, optional, required } from '../parameters.ts';
import { anyText } from '../parse-values.ts';
import { targetWords } from './send.ts';

/** Asks connections something. */
export function invokeCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'invoke',
    summary: 'invoke a method of connections, and show what they answer',
    description: [
      'Asks clients that handle the method, on whatever node they are connected. The first success of all that match is shown, and the others are cancelled; with --all every answer is, and by connection and node who failed, who timed out and who vanished.',
      'Exits 4 when nobody matches, 5 when the one asked did not answer in time, 7 when it failed, 11 when some of all did not answer.',
    ],
    impact: 'rw',
    output: 'report',
    arguments: {
      target: required('conn:ID, user:NAME, group:NAME, attr:NAME=PATTERN, hub:NAME or all', {
        parse: parseConnectionTarget,
        completes: targetWords,
      }),
      method: required('the method', { parse: checkMethodName }),
      payload: optional('what to send, usually JSON', {
        parse: (text) => checkPayload(Buffer.from(text)),
      }),
    },
    options: {
      all: flag('--all', 'wait for every answer, not for the first'),
      hub: option('--hub <HUB>', 'only connections in this hub', anyText),
      fresh: freshFlag,
    },
    examples: [
      { run: 'backplane invoke user:ann version', shows: 'what one of her clients answers' },
      { run: 'backplane invoke group:editors save --all', shows: 'what each answers, by node' },
    ],
    action: async ({ target, method, payload }, { all, hub, fresh }) => {
      const { sessions } = await context.engine();
      const visitor = await context.visitor();
      const { timeoutMs } = context.settings;
      const how = all ? 'all' : 'one';
      const report = await reachConnections(
        { sessions, visitor },
        {
          how,
          target: withinHub(target, hub),
          method,
          payload: payload ?? Buffer.from('null'),
          fresh,
        },
        { timeoutMs, signal: context.signal },
      );
      await context.print.report(report, reachLines);
      const failure = reachFailure(report);
      if (failure) throw failure;
    },
  });
}
