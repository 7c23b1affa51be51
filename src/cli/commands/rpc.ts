import { formatDuration } from '../../foundation/duration.ts';
import {
  type CallReply,
  type CallReport,
  callFailure,
  callMethod,
  checkMethodName,
  parseCallTarget,
} from '../../operations/act/call-method.ts';
import { checkPayload } from '../../operations/act/check-payload.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { payloadText } from '../output/payload-text.ts';
import type { Line } from '../output/styled-text.ts';
import { optional, required } from '../parameters.ts';

const payloadLengthShown = 10_000;

/** Calls a method. */
export function rpcCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'rpc',
    summary: "call a method of a document's owner, of a node, or of all nodes",
    description: [
      'Sends a request to the owner of a document (doc:ID), to a node (node:ID) or to all, and shows who answered, through how many nodes, in what time, and by name who did not.',
      'Every node answers ping, methods and state; an application registers its own.',
      'Exits 4 for an unknown node, 5 when the one asked did not answer in time, 6 when nobody is there, 7 when the method failed or is unknown, 11 when some of all did not answer.',
    ],
    impact: 'rw',
    output: 'report',
    arguments: {
      target: required('doc:ID, node:ID or all', {
        parse: parseCallTarget,
        completes: ['doc:', 'node:', 'all'],
      }),
      method: required('the method', { parse: checkMethodName }),
      payload: optional('what to send, usually JSON', {
        parse: (text) => checkPayload(Buffer.from(text)),
      }),
    },
    examples: [
      { run: 'backplane rpc doc:doc-123 ping', shows: 'which node owns it, and how far it is' },
      { run: 'backplane rpc all ping', shows: 'who answers, and who is silent' },
      { run: 'backplane rpc doc:doc-123 state', shows: 'the content of a document' },
    ],
    action: async ({ target, method, payload = new Uint8Array(0) }) => {
      const { sessions, leases } = await context.engine();
      const visitor = await context.visitor();
      const { timeoutMs } = context.settings;
      const call = { target, method, payload };
      const { signal } = context;
      const report = await callMethod({ sessions, leases, visitor }, call, {
        timeoutMs,
        signal,
      });
      await context.print.report(report, asLines);
      const failure = callFailure(report);
      if (failure) throw failure;
    },
  });
}

function asLines(report: CallReport): Line[] {
  const width = Math.max(...report.replies.map(({ nodeId }) => nodeId?.length ?? 0), 0);
  const lines = report.replies.map((reply) => replyLine(reply, width));
  for (const nodeId of report.silent) {
    lines.push([{ text: `${nodeId.padEnd(width)}  did not answer`, style: 'bad' }]);
  }
  return lines;
}

function replyLine(reply: CallReply, width: number): Line {
  const { nodeId, error, latencyMs, hops } = reply;
  const way = hops === 0 ? 'direct' : `${hops} ${hops === 1 ? 'hop' : 'hops'}`;
  const about = `${(nodeId ?? '').padEnd(width)}  ${formatDuration(latencyMs)}  ${way}  `;
  if (!error) return [about, payloadText(reply, payloadLengthShown)];
  return [about, { text: `${error.message} [${error.code}]`, style: 'bad' }];
}
