import { formatDuration } from '../../foundation/duration.ts';
import { BackplaneError } from '../../foundation/errors.ts';
import { checkDocumentName, parseOpId } from '../../foundation/identifiers.ts';
import { checkPayload } from '../../operations/act/check-payload.ts';
import { splitLines } from '../../operations/act/split-lines.ts';
import { type OpReport, submitOp } from '../../operations/act/submit-op.ts';
import { submitOps } from '../../operations/act/submit-ops.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import type { StreamShape } from '../output/line-stream.ts';
import type { Line } from '../output/styled-text.ts';
import { option, required } from '../parameters.ts';

const shape: StreamShape<OpReport> = {
  noun: 'ops',
  asLines: (op) => [asLine(op)],
  keys: ['doc', 'opId', 'seq', 'epoch', 'nodeId', 'latencyMs', 'hops', 'duplicate'],
};

interface OpId {
  readonly peer: string;
  readonly counter: number;
}

/** Submits ops as a peer would. */
export function opCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'op',
    summary: 'submit an op to a document',
    description: [
      'Submits an op as a peer would and waits until its owner has stored it. What fails without a clear answer is sent again with the same id until --timeout, so it is applied exactly once.',
      'With - each line of standard input is an op. They are sent in order, many at a time; the first that fails ends the command, and the error says how many were acknowledged.',
      'With the json engine, which is the default, the payload is a JSON merge patch.',
    ],
    impact: 'rw',
    output: 'report',
    arguments: {
      doc: required('the document', { parse: checkDocumentName, completes: 'doc' }),
      payload: required('the op, or - for one op a line from standard input', {
        parse: readPayload,
      }),
    },
    options: {
      opId: option(
        '--op-id <PEER:N>',
        'the id of the op, to send one again that may have been applied; of the first one with -',
        parseOpId,
      ),
    },
    examples: [
      { run: `backplane op doc-123 '{"title":"hello"}'`, shows: 'its seq, epoch and owner' },
      { run: 'backplane op doc-123 - <ops.jsonl', shows: 'one op for each line of a file' },
      {
        run: `backplane op doc-123 '{"n":1}' --op-id import-7:1`,
        shows: 'an op that can be repeated without being applied twice',
      },
    ],
    action: async ({ doc, payload }, { opId }) => {
      const id = opId ?? { peer: context.random.token(10), counter: 1 };
      if (payload === '-') await submitLines(context, doc, id);
      else await submitOne(context, doc, id, payload);
    },
  });
}

/** Checked before anything is connected. */
function readPayload(text: string): '-' | Uint8Array {
  return text === '-' ? '-' : checkPayload(Buffer.from(text));
}

async function submitOne(
  context: CommandContext,
  doc: string,
  id: OpId,
  payload: Uint8Array,
): Promise<void> {
  const visitor = await context.visitor();
  const { clock, signal, settings } = context;
  const { timeoutMs } = settings;
  const report = await submitOp({ visitor, clock }, doc, { ...id, payload }, { timeoutMs, signal });
  await context.print.report(report, (each) => [asLine(each)]);
}

async function submitLines(context: CommandContext, doc: string, id: OpId): Promise<void> {
  const { clock, signal, settings, terminal, print } = context;
  if (print.format === 'yaml') {
    throw new BackplaneError('USAGE', '-o yaml is for one op', { remedy: 'use -o jsonl' });
  }
  const visitor = await context.visitor();
  if (terminal.inputIsTerminal) await print.note('one op a line; Ctrl-D ends');
  const payloads = splitLines(terminal.input);
  const { timeoutMs } = settings;
  const reports = submitOps(
    { visitor, clock },
    { doc, peer: id.peer, firstCounter: id.counter, payloads },
    { timeoutMs, signal },
  );
  const stream = print.stream(shape);
  let count = 0;
  try {
    for await (const report of reports) {
      await stream.write(report);
      count += 1;
    }
  } finally {
    await stream.end();
  }
  if (!print.forPrograms) await print.note(`${count} ${count === 1 ? 'op' : 'ops'} acknowledged`);
}

function asLine(op: OpReport): Line {
  const { doc, opId, seq, epoch, nodeId, latencyMs, hops, duplicate } = op;
  const repeated = duplicate ? '  applied before' : '';
  const through = hops === 0 ? '' : `  through ${hops} ${hops === 1 ? 'node' : 'nodes'}`;
  return [
    { text: doc, style: 'bold' },
    `  seq ${seq}  epoch ${epoch}  by ${nodeId}${through}  in ${formatDuration(latencyMs)}`,
    { text: `  op ${opId}${repeated}`, style: 'dim' },
  ];
}
