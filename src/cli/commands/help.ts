import { BackplaneError, publicCode } from '../../foundation/errors.ts';
import { nearest } from '../../foundation/nearest.ts';
import { checkCode } from '../../operations/diagnose/check.ts';
import { checks } from '../../operations/diagnose/checks.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { helpText } from '../help-text.ts';
import { checkTopic, errorCodeOf, errorCodes, errorTopic, topics } from '../manual/topics.ts';
import { restOrNone } from '../parameters.ts';

export function helpCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'help',
    summary: 'explain a command, an error code or a topic',
    description: [
      'Explains a command, an error code as it is printed in brackets, or one of the topics ' +
        `${Object.keys(topics).join(', ')}.`,
    ],
    impact: 'ro',
    output: 'text',
    opensNothing: true,
    arguments: {
      topic: restOrNone('a command, an error code or a topic', {
        completes: [
          ...Object.keys(topics),
          ...errorCodes.map(publicCode),
          ...checks.map(checkCode),
        ],
      }),
    },
    examples: [
      { run: 'backplane help BP-LEASE-HELD', shows: 'what an error means, and what to do' },
      { run: 'backplane help BP-CHECK-EVICTION', shows: 'what a finding of doctor means' },
      { run: 'backplane help exit-codes', shows: 'what each exit code says' },
    ],
    action: async ({ topic }) => {
      await context.print.text(await explain(topic, context));
    },
  });
}

async function explain(words: readonly string[], context: CommandContext): Promise<string> {
  const [first] = words;
  if (first === undefined) return helpText([], context);
  const topic = Object.hasOwn(topics, first) ? topics[first] : undefined;
  if (topic !== undefined) return topic();
  if (!/^bp-/i.test(first)) return helpText(words, context);
  const code = errorCodeOf(first);
  if (code !== null) return errorTopic(code);
  const check = checks.find((each) => checkCode(each) === first.toUpperCase());
  if (check !== undefined) return checkTopic(check);
  const codes = [...errorCodes.map(publicCode), ...checks.map(checkCode)];
  const suggestion = nearest(first.toUpperCase(), codes);
  throw new BackplaneError('USAGE', `there is no error code "${first}"`, {
    remedy: suggestion === null ? 'backplane help errors' : `did you mean ${suggestion}?`,
  });
}
