import { formatDuration, parseDurationMs } from '../../foundation/duration.ts';
import { BackplaneError } from '../../foundation/errors.ts';
import { checkDocumentName } from '../../foundation/identifiers.ts';
import { checkPayload } from '../../operations/act/check-payload.ts';
import { type TraceReport, traceOp } from '../../operations/act/trace-op.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import type { Line, Style } from '../output/styled-text.ts';
import { optionWithDefault, required } from '../parameters.ts';

const barWidth = 40;

/** Follows one op. */
export function traceCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'trace',
    summary: 'send one op, and show where it went and when',
    description: [
      'Sends one marked op to a document and shows its life: who owns the document, through how many nodes the op went, when it was stored and published, and when each node with peers on the document had delivered it. Names the nodes that should have delivered it and did not, and exits 11 then.',
      'The op is real: it gets a seq. With the json engine {} changes nothing. Times are measured by this command alone, on one clock, from the moment it began to look: "looked up" and "acknowledged" when the answer was here, "published" when this command heard the op on the channel, "delivered" when a node said so on being asked, every 20ms: so each is an upper bound, with the way back in it.',
    ],
    impact: 'rw',
    output: 'report',
    arguments: {
      doc: required('the document', { parse: checkDocumentName, completes: 'doc' }),
    },
    options: {
      payload: optionWithDefault(
        '--payload <TEXT>',
        'what to send',
        (text) => checkPayload(Buffer.from(text)),
        {
          fallback: Buffer.from('{}') as Uint8Array,
          fallbackText: '{}',
        },
      ),
      wait: optionWithDefault(
        '--wait <DURATION>',
        'how long deliveries may take',
        parseDurationMs,
        {
          fallback: 5_000,
          fallbackText: '5s',
        },
      ),
    },
    examples: [
      { run: 'backplane trace doc-123', shows: 'the way of an op, and who delivered it' },
      { run: 'backplane trace doc-123 -o json', shows: 'the same for a program' },
    ],
    action: async ({ doc }, { payload, wait }) => {
      const { sessions, leases } = await context.engine();
      const visitor = await context.visitor();
      const { clock, signal, random } = context;
      const token = () => random.token(7);
      const report = await traceOp({ engine: { sessions, leases }, visitor, clock, token }, doc, {
        payload,
        waitMs: wait,
        timeoutMs: context.settings.timeoutMs,
        signal,
      });
      await context.print.report(report, asLines);
      if (report.missing.length > 0) throw notDelivered(report);
    },
  });
}

/** A row for each moment; the dot stands where it was between the first and the last. */
function asLines(report: TraceReport): Line[] {
  const { steps, delivered, missing, uninterested, opId, hops } = report;
  const rows: { name: string; atMs: number; detail: string; style: Style | null }[] = [
    ...steps.map((step) => ({ ...step, style: null })),
    ...delivered.map(({ nodeId, byMs, followers }) => ({
      ...{ name: 'delivered', atMs: byMs, style: 'good' as const },
      detail: `${nodeId}, to ${followers} ${followers === 1 ? 'follower' : 'followers'}`,
    })),
  ];
  const lastMs = Math.max(...rows.map(({ atMs }) => atMs), 0.01);
  const way =
    hops === 0 ? 'straight to its owner' : `through ${hops} ${hops === 1 ? 'node' : 'nodes'}`;
  const lines: Line[] = [[{ text: `op ${opId}`, style: 'bold' }, `  ${way}`]];
  for (const { name, atMs, detail, style } of rows) {
    const at = Math.round((atMs / lastMs) * barWidth);
    const bar = `|${'-'.repeat(at)}*${' '.repeat(barWidth - at)}|`;
    const took = formatDuration(atMs).padStart(7);
    lines.push([`${name.padEnd(12)} ${took} `, style ? { text: bar, style } : bar, `  ${detail}`]);
  }
  for (const nodeId of missing) {
    lines.push([
      { text: `not delivered          ${' '.repeat(barWidth)}  ${nodeId}`, style: 'bad' },
    ]);
  }
  if (uninterested.length > 0) {
    lines.push([{ text: `no peers on it: ${uninterested.join(', ')}`, style: 'dim' }]);
  }
  return lines;
}

function notDelivered({ missing, doc, seq }: TraceReport): BackplaneError {
  const message = `op ${seq} of "${doc}" was not delivered on ${missing.join(', ')}`;
  return new BackplaneError('PARTIAL', message, {
    certainty: 'definite',
    remedy: `backplane explain node:${missing[0]}`,
    facts: { missing },
  });
}
