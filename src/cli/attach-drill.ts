import { createInterface } from 'node:readline/promises';
import { PassThrough } from 'node:stream';
import { BackplaneError } from '../foundation/errors.ts';
import { listNodes } from '../operations/inspect/list-nodes.ts';
import type { Attachment } from '../verification/drills/run-drill.ts';
import { counted } from '../verification/law.ts';
import type { CommandContext } from './context.ts';

export interface AttachmentWish {
  readonly allowed: readonly string[];
  /** The name the user gave; undefined: nobody gave one yet. */
  readonly named: string | undefined;
}

/**
 * The cluster of `--url`, after its user has said its name: whoever has to look it up sees which
 * cluster it is. Throws USAGE when the name is not that of this cluster.
 */
export async function askForAttachment(
  context: CommandContext,
  { allowed, named }: AttachmentWish,
): Promise<Attachment> {
  const engine = await context.engine();
  const visitor = await context.visitor();
  const record = await engine.clusterRecords.read();
  const nodes = await listNodes(engine.sessions);
  if (!record || nodes.length === 0) {
    throw new BackplaneError('NO_NODES', 'no node ever joined a cluster here');
  }
  const clusterName = record.id;
  const { url } = { url: context.settings.engineUrl.text };
  const names = nodes.map(({ nodeId }) => nodeId).slice(0, 5);
  const what = `the cluster at ${url}, ${counted(nodes.length, 'node')}: ${names.join(', ')}`;
  const doing = allowed.length === 0 ? 'a load and no fault' : `a load, and ${allowed.join(', ')}`;
  const answer = named ?? (await ask(context, `${what}\n${doing}\nits name`, clusterName));
  if (answer !== clusterName) {
    throw new BackplaneError('USAGE', `${what}, is called ${clusterName}, not "${answer ?? ''}"`, {
      remedy: `if you mean it: --cluster ${clusterName}`,
    });
  }
  const { settings, logger } = context;
  const open = () => context.use(() => context.world.doors.openStore(settings, logger));
  let opening: ReturnType<typeof open> | null = null;
  const store = async () => {
    opening ??= open();
    return (await opening).store;
  };
  return { engine, visitor, store, allowed, clusterName };
}

/** Null where nobody can be asked. */
async function ask(context: CommandContext, question: string, name: string) {
  const { terminal, signal } = context;
  if (!terminal.inputIsTerminal || !terminal.errIsInteractive) return null;
  await context.print.note(`${question} is ${name}; type it to go on`);
  const lines = createInterface({ input: terminal.input, output: new PassThrough() });
  try {
    return (await lines.question('', { signal })).trim();
  } finally {
    lines.close();
  }
}
