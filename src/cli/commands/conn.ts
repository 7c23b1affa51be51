import { checkName } from '../../foundation/identifiers.ts';
import { presenceLimits } from '../../foundation/limits.ts';
import {
  type Change,
  type ChangedConnection,
  changeConnection,
} from '../../operations/act/change-connection.ts';
import {
  type CommandDefinition,
  type CommandGroup,
  defineCommand,
  defineGroup,
} from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import type { Line } from '../output/styled-text.ts';
import { optionWithDefault, required, rest } from '../parameters.ts';

const readId = (text: string) => checkName('connection id', text, 64);
const readGroup = (text: string) => checkName('group', text, presenceLimits.groupBytesMax);
const readReason = (text: string) => checkName('reason', text, presenceLimits.reasonBytesMax);

/** What can be done to a connection. */
export function connCommand(context: CommandContext): CommandGroup {
  return defineGroup({
    name: 'conn',
    summary: 'kick a connection, or have it join or leave groups',
    description: [
      'Changes a connection on whatever node it is. To find it: backplane inspect connections.',
    ],
    commands: [connKickCommand(context), connJoinCommand(context), connLeaveCommand(context)],
  });
}

function connKickCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'kick',
    summary: 'close a connection',
    description: [
      'Closes a connection with a reason; its client does not come back by itself. Exits 4 when there is no such connection.',
    ],
    impact: 'rw',
    output: 'report',
    arguments: { id: required('the connection', { parse: readId }) },
    options: {
      reason: optionWithDefault('--reason <TEXT>', 'what its client is told', readReason, {
        fallback: 'kicked',
        fallbackText: 'kicked',
      }),
    },
    examples: [
      { run: 'backplane conn kick c-4v8q2m', shows: 'whom it closed' },
      { run: 'backplane conn kick c-4v8q2m --reason "signed in elsewhere"', shows: 'the same' },
    ],
    action: ({ id }, { reason }) => change(context, id, { kick: reason }),
  });
}

function connJoinCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'join',
    summary: 'have a connection join groups',
    description: [
      'The connection is in the groups as long as it lives. Exits 4 when there is no such connection.',
    ],
    impact: 'rw',
    output: 'report',
    arguments: {
      id: required('the connection', { parse: readId }),
      groups: rest('the groups', { parse: readGroup }),
    },
    examples: [
      { run: 'backplane conn join c-4v8q2m editors', shows: 'all groups it is in now' },
      { run: 'backplane conn join c-4v8q2m red blue -o json', shows: 'the same for programs' },
    ],
    action: ({ id, groups }) => change(context, id, { join: groups }),
  });
}

function connLeaveCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'leave',
    summary: 'have a connection leave groups',
    description: [
      'Leaving a group it is not in is no error. Exits 4 when there is no such connection.',
    ],
    impact: 'rw',
    output: 'report',
    arguments: {
      id: required('the connection', { parse: readId }),
      groups: rest('the groups', { parse: readGroup }),
    },
    examples: [
      { run: 'backplane conn leave c-4v8q2m editors', shows: 'the groups it is in yet' },
      { run: 'backplane conn leave c-4v8q2m red blue -o json', shows: 'the same for programs' },
    ],
    action: ({ id, groups }) => change(context, id, { leave: groups }),
  });
}

async function change(context: CommandContext, id: string, wanted: Change): Promise<void> {
  const { sessions } = await context.engine();
  const visitor = await context.visitor();
  const { timeoutMs } = context.settings;
  const report = await changeConnection({ sessions, visitor }, id, wanted, { timeoutMs });
  await context.print.report(report, asLines);
}

function asLines({ id, user, groups, nodeId, kicked }: ChangedConnection): Line[] {
  const name = { text: id, style: 'bold' } as const;
  const whose = user === null ? '' : ` of ${user}`;
  if (kicked) return [[name, `${whose} on ${nodeId} was closed`]];
  const where = groups.length === 0 ? 'no group' : groups.join(', ');
  return [[name, `${whose} on ${nodeId} is in ${where}`]];
}
