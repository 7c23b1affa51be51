import { checkDocumentName } from '../../foundation/identifiers.ts';
import type { NodeParts, NodeWorld } from '../node-parts.ts';
import type { RequestOptions, RequestReport, RequestTarget } from '../reports.ts';
import { askAll, askNode, findNode, timed } from './scatter.ts';

export interface Asking {
  readonly world: NodeWorld;
  readonly parts: NodeParts;
  readonly nodeId: string;
  readonly requestTimeoutMs: number;
}

/** Asks a document's owner, one node or every node, as the target says. */
export async function askTarget(
  { world, parts, nodeId, requestTimeoutMs }: Asking,
  target: RequestTarget,
  call: { readonly method: string; readonly payload: Uint8Array; readonly options: RequestOptions },
): Promise<RequestReport> {
  const { clock, engine } = world;
  const { method, payload, options } = call;
  const scatter = { ...parts, clock, requestTimeoutMs };
  if (target.kind === 'all') return askAll(scatter, method, payload, options);
  if (target.kind === 'node') {
    const find = (wanted: string) => findNode(() => engine.sessions.list(), wanted);
    return askNode(scatter, target.nodeId, find, call);
  }
  const doc = checkDocumentName(target.doc);
  const timeoutMs = options.timeoutMs ?? requestTimeoutMs;
  const startedMs = clock.monotonicMs();
  const { signal } = options;
  const routed = { plane: 'call', method, doc, payload, hops: 0, timeoutMs, signal } as const;
  const reply = await timed({ clock }, startedMs, nodeId, () => parts.router.route(routed));
  return { replies: [reply], silent: [] };
}
