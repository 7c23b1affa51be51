import { formatDuration } from '../../foundation/duration.ts';
import { BackplaneError } from '../../foundation/errors.ts';
import { checkDocumentName } from '../../foundation/identifiers.ts';
import { followDocuments } from '../../operations/inspect/follow-documents.ts';
import type { TailLine } from '../../operations/inspect/tail-line.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import type { StreamShape } from '../output/line-stream.ts';
import { payloadText } from '../output/payload-text.ts';
import type { Line, Span } from '../output/styled-text.ts';
import { flag, option, optionList, restOrNone } from '../parameters.ts';
import { oneOf, parseCount } from '../parse-values.ts';
import { StreamEnd, type StreamEndValues, streamEndOptions } from '../stream-end.ts';
import { tailCaches } from './tail-cache.ts';

const lineTypes = ['op', 'awareness', 'lease'] as const;
const payloadLengthShown = 1_000;

const shape: StreamShape<TailLine> = {
  noun: 'lines',
  asLines: (line) => [asLine(line)],
  keys: [
    'type',
    'doc',
    'seq',
    'epoch',
    'nodeId',
    'peer',
    'opId',
    'at',
    'payload',
    'encoding',
    'hop',
  ],
};

/** Follows documents live. */
export function tailCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'tail',
    summary: 'follow documents live',
    description: [
      'Shows what happens to documents as it happens, one line each: ops in the order of the document with none missing, awareness, and changes of owner. A document that does not exist yet is waited for.',
      'An op that came live names the node that published it; one read from the log does not, because the log does not say. A reader too slow for the cluster misses no op.',
      'An outage of the backplane shorter than --timeout is ridden out; a longer one ends it with exit code 3.',
      'With --cache it follows evictions from cache regions instead, those named or all: which key or prefix, by which node, the number of the eviction in its region and among those of its publisher. It says how many it has missed itself.',
      'Ends by --count, --wait, --until or Ctrl-C. With --wait, exits 5 when --count or --until was not reached.',
    ],
    impact: 'ro',
    output: 'stream',
    endsBySignal: true,
    arguments: {
      docs: restOrNone('the documents; with --cache, the cache regions', { completes: 'doc' }),
    },
    options: {
      since: option('--since <SEQ>', 'first the ops after this seq, from the log', parseCount),
      type: optionList('--type <TYPE>', 'only op, awareness or lease lines', oneOf(...lineTypes), {
        completes: lineTypes,
      }),
      cache: flag('--cache', 'evictions of cache regions, instead of documents'),
      ...streamEndOptions,
    },
    examples: [
      { run: 'backplane tail doc-123', shows: 'each op, with its seq, epoch and owner' },
      { run: 'backplane tail doc-123 --since 0 --wait 1s', shows: 'the whole log, then a second' },
      {
        run: "backplane tail doc-123 --until 'type=lease' --wait 30s -o jsonl",
        shows: 'until the owner changes, for programs',
      },
      { run: 'backplane tail --cache users', shows: 'what is evicted from the region users' },
    ],
    action: async ({ docs }, options) => {
      const end = new StreamEnd(options, context.clock, context.signal);
      try {
        const reached = options.cache
          ? await tailCaches(context, docs, end)
          : await follow(context, checkDocuments(docs), options, end);
        if (!reached && !context.signal.aborted) refuseUnmet(options);
      } finally {
        end.close();
      }
    },
  });
}

function checkDocuments(docs: readonly string[]): string[] {
  if (docs.length === 0) {
    throw new BackplaneError('USAGE', 'tail needs a document, or --cache', {
      remedy: 'backplane tail DOC',
    });
  }
  return docs.map(checkDocumentName);
}

interface TailOptions extends StreamEndValues {
  readonly since: number | undefined;
  readonly type: readonly string[];
}

/** True when `--count` or `--until` ended it. */
async function follow(
  context: CommandContext,
  docs: readonly string[],
  { since, type }: TailOptions,
  end: StreamEnd,
): Promise<boolean> {
  const { sessions } = await context.engine();
  const visitor = await context.visitor();
  const { clock, print, settings } = context;
  const lines = followDocuments({ sessions, visitor, clock }, docs, {
    since,
    signal: end.signal,
    outageMsMax: settings.timeoutMs,
    onUnknown: (doc) => print.note(`no document "${doc}" yet; waiting for its first op`),
  });
  const stream = print.stream(shape);
  let reached = false;
  for await (const line of lines) {
    if (end.signal.aborted) break;
    if (line.type !== 'dropped' && type.length > 0 && !type.includes(line.type)) continue;
    await stream.write(line);
    if (end.saw(line)) {
      reached = true;
      break;
    }
  }
  await stream.end();
  return reached;
}

/** Nothing that was waited for came: a script must not take that for success. */
function refuseUnmet({ count, until, wait }: TailOptions): void {
  if (wait === undefined || (count === undefined && until === undefined) || count === 0) return;
  const asked =
    until === undefined ? (count === 1 ? 'the line' : `the ${count} lines`) : 'the line';
  throw new BackplaneError(
    'DEADLINE_EXCEEDED',
    `${asked} asked for did not come within ${formatDuration(wait)}`,
    { certainty: 'definite', remedy: 'wait longer, or see who owns it: backplane inspect leases' },
  );
}

function asLine(line: TailLine): Line {
  const time = { text: line.at?.slice(11, 23) ?? '-', style: 'dim' } as const;
  return [time, '  ', { text: line.doc, style: 'bold' }, '  ', ...whatHappened(line)];
}

function whatHappened(line: TailLine): Span[] {
  switch (line.type) {
    case 'op': {
      const from = line.hop === 'log' ? 'from the log' : `live from ${line.nodeId}`;
      const about = `seq ${line.seq}  epoch ${line.epoch}  ${from}  op ${line.opId}  `;
      return [about, payloadText(line, payloadLengthShown)];
    }
    case 'awareness': {
      if (line.encoding === null) return [`peer ${line.peer} is gone`];
      return [`peer ${line.peer} is `, payloadText(line, payloadLengthShown)];
    }
    case 'lease': {
      const { change } = line.payload as { readonly change: string };
      return [{ text: `${change} by ${line.nodeId}`, style: 'warning' }, `  epoch ${line.epoch}`];
    }
    case 'dropped':
      return [{ text: 'too slow: awareness and lease lines may be missing here', style: 'bad' }];
  }
}
