import { parseDurationMs } from '../../foundation/duration.ts';
import { BackplaneError } from '../../foundation/errors.ts';
import { checkDocumentName, checkNodeId } from '../../foundation/identifiers.ts';
import { dials } from '../../foundation/limits.ts';
import type { OwnershipReport } from '../../operations/act/acquire-lease.ts';
import { holdLease } from '../../operations/act/hold-lease.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import type { HostedNode } from '../hosting.ts';
import type { StreamShape } from '../output/line-stream.ts';
import { option, optionWithDefault, required, restOrNone } from '../parameters.ts';
import { runChild } from '../run-child.ts';

interface HoldEvent extends OwnershipReport {
  readonly type: 'held' | 'released';
}

const shape: StreamShape<HoldEvent> = {
  noun: 'events',
  asLines: ({ type, doc, nodeId, epoch }) => [`${doc} is ${type} by ${nodeId}, epoch ${epoch}`],
  keys: ['type', 'doc', 'nodeId', 'session', 'epoch'],
};

/** Runs a command while this process owns a document. */
export function leaseHoldCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'hold',
    summary: 'own a document for as long as a command runs',
    description: [
      'Joins the cluster as a node, takes the document, and runs the command with BACKPLANE_DOC, BACKPLANE_EPOCH and BACKPLANE_NODE_ID in its environment. When the command ends the document is given up and its exit status passed on. Without a command the document is held until Ctrl-C.',
      'When the lease is lost the command gets SIGTERM, and SIGKILL after --kill-after; then this exits 8. The epoch is a fencing token: whatever the command writes to elsewhere can refuse a smaller one.',
      'Exits 8 when another node owns the document, 127 when the command is not found.',
    ],
    impact: 'rw',
    output: 'stream',
    endsBySignal: true,
    arguments: {
      doc: required('the document', { parse: checkDocumentName, completes: 'doc' }),
      command: restOrNone('the command and its arguments, after --'),
    },
    options: {
      nodeId: option(
        '--node-id <ID>',
        'what operators call this node (default: hold-…)',
        checkNodeId,
        {
          env: 'BACKPLANE_NODE_ID',
        },
      ),
      killAfter: optionWithDefault(
        '--kill-after <DURATION>',
        'from SIGTERM to SIGKILL',
        parseDurationMs,
        { fallback: 5_000, fallbackText: '5s' },
      ),
    },
    examples: [
      {
        run: `backplane lease hold nightly -- sh -c 'echo epoch $BACKPLANE_EPOCH'`,
        shows: 'a command that runs once in the cluster',
      },
      { run: 'backplane lease hold doc-123', shows: 'the document held until Ctrl-C' },
    ],
    action: async ({ doc, command }, { nodeId, killAfter }) => {
      const draining = new AbortController();
      const hosted = await join(context, nodeId ?? null, draining);
      const stop = AbortSignal.any([context.signal, draining.signal]);
      const parts = { node: hosted.node, clock: context.clock };
      await holdLease(parts, doc, (held, lost) =>
        command.length === 0
          ? holdUntil(context, held, AbortSignal.any([stop, lost]))
          : runUnder(context, held, command, killAfter, AbortSignal.any([stop, lost])),
      );
      await hosted.close();
    },
  });
}

async function join(
  context: CommandContext,
  nodeId: string | null,
  draining: AbortController,
): Promise<HostedNode> {
  const { clusterRecords } = await context.engine();
  const cluster = await clusterRecords.read();
  return context.host({
    nodeId: nodeId ?? `hold-${context.random.token(4)}`,
    gateway: null,
    dials,
    fastTakeover: true,
    documentEngine: cluster?.documentEngine === 'log' ? 'log' : 'json',
    startsBroker: false,
    logger: context.logger,
    drainRequested: () => draining.abort(),
  });
}

async function holdUntil(
  context: CommandContext,
  held: OwnershipReport,
  ending: AbortSignal,
): Promise<void> {
  const stream = context.print.stream(shape);
  await stream.write({ type: 'held', ...held });
  if (!ending.aborted) {
    await new Promise((resolve) => ending.addEventListener('abort', resolve, { once: true }));
  }
  await stream.write({ type: 'released', ...held });
  await stream.end();
}

/** Standard output belongs to the command. */
async function runUnder(
  context: CommandContext,
  { doc, epoch, nodeId }: OwnershipReport,
  command: readonly string[],
  killAfterMs: number,
  stop: AbortSignal,
): Promise<void> {
  const exitCode = await runChild({
    command,
    environment: {
      ...context.world.environment,
      BACKPLANE_DOC: doc,
      BACKPLANE_EPOCH: String(epoch),
      BACKPLANE_NODE_ID: nodeId,
    },
    clock: context.clock,
    stop,
    killAfterMs,
    onTerminal: context.terminal.inputIsTerminal,
  });
  if (exitCode === 0) return;
  throw new BackplaneError('COMMAND_FAILED', `${command[0]} exited with ${exitCode}`, {
    certainty: 'definite',
    facts: { exitCode },
  });
}
