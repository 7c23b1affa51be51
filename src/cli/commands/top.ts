import { parseDurationMs } from '../../foundation/duration.ts';
import { BackplaneError } from '../../foundation/errors.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { flag, option, optionWithDefault } from '../parameters.ts';
import { anyText } from '../parse-values.ts';

/** The dashboard. */
export function topCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'top',
    summary: 'watch the whole cluster on one screen',
    description: [
      'Shows the pulse of the cluster, its nodes, the documents in use, who owns what, one document as it changes, and what has happened. Press ? for the keys.',
      'It costs the broker little, and no more when there are more documents: a look is 4 commands, one for each session, and two for each live node, once an interval; a list of leases or a document on the screen adds what it shows.',
      'Keys that change something ask first and say what will happen; --read-only takes them away. When the broker is gone, the last picture stays, in grey, until it is back.',
      'With --record every look is written to a file, also without a terminal; --replay shows it again, with a slider over its time: left and right move, :03:12 goes to that time, p plays. A recording holds names of nodes, and every 5s those of 100 documents used last and of the first 100 with their leases; no payloads and no secrets. An hour takes about 20 MB.',
      'With --screen-reader it prints plain sentences, and speaks up only when a key is pressed or something happens.',
    ],
    impact: 'rw',
    output: 'stream',
    endsBySignal: true,
    options: {
      once: flag('--once', 'look twice, an interval apart, print that and end'),
      interval: optionWithDefault('--interval <DURATION>', 'how often to look', parseInterval, {
        fallback: 1_000,
        fallbackText: '1s',
      }),
      readOnly: flag('--read-only', 'without the keys that change something', {
        env: 'BACKPLANE_READ_ONLY',
      }),
      record: option('--record <FILE>', 'write every look to a new file', anyText, {
        completes: 'file',
      }),
      replay: option('--replay <FILE>', 'show a recording instead of a cluster', anyText, {
        completes: 'file',
      }),
      at: option('--at <TIME>', 'where to begin with --replay, as 03:12 (UTC)', parseTimeOfDay),
      ascii: flag('--ascii', 'draw with characters that every terminal has', {
        env: 'BACKPLANE_ASCII',
      }),
      screenReader: flag('--screen-reader', 'sentences instead of a picture', {
        env: 'BACKPLANE_SCREEN_READER',
      }),
    },
    examples: [
      { run: 'backplane top', shows: 'the dashboard' },
      { run: 'backplane top --once -o json', shows: 'the same for a script' },
      { run: 'backplane top --record night.jsonl', shows: 'the dashboard, and keeps what it saw' },
      { run: 'backplane top --replay night.jsonl --at 03:12', shows: 'how it was at 03:12' },
    ],
    action: async (_, options) => {
      const { TopSession } = await import('../top-session.ts');
      await new TopSession(context, options).run();
    },
  });
}

function parseInterval(text: string): number {
  const intervalMs = parseDurationMs(text);
  if (intervalMs >= 200) return intervalMs;
  throw new BackplaneError('USAGE', `"${text}" would keep the nodes busy with being looked at`, {
    remedy: 'look every 200ms at most',
  });
}

/** Throws USAGE. */
export function parseTimeOfDay(text: string): string {
  if (/^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/.test(text)) return text;
  throw new BackplaneError('USAGE', `"${text}" is not a time of day`, {
    remedy: 'write it as 03:12 or 03:12:30, in UTC',
  });
}
