import { asBackplaneError, BackplaneError } from '../../foundation/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { SessionRecord } from '../../ports/sessions.ts';
import type { ReplyReport, RequestOptions, RequestReport } from '../reports.ts';
import { withDeadline } from '../with-deadline.ts';
import type { LiveNodes } from './live-nodes.ts';
import { wasHandled } from './methods.ts';
import type { Requester } from './requester.ts';
import { AnsweredError, toReplyError } from './wire-errors.ts';

export interface ScatterParts {
  readonly nodes: LiveNodes;
  readonly requester: Requester;
  readonly clock: Clock;
  readonly requestTimeoutMs: number;
}

/** Asks every live node, and says by name who did not answer. Throws NO_NODES. */
export async function askAll(
  parts: ScatterParts,
  method: string,
  payload: Uint8Array,
  options: RequestOptions,
): Promise<RequestReport> {
  const { found: live, left } = await looked(parts, options, () => parts.nodes.list('fresh'));
  if (live.length === 0) throw new BackplaneError('NO_NODES', 'the cluster has no live node');
  const outcomes = await Promise.all(live.map((node) => ask(parts, node, method, payload, left)));
  return {
    replies: outcomes.flatMap((outcome) => (typeof outcome === 'string' ? [] : [outcome])),
    silent: outcomes.filter((outcome) => typeof outcome === 'string'),
  };
}

/** Asks one node by its id; throws NODE_UNKNOWN, NODE_DEAD, or why it did not answer. */
export async function askNode(
  parts: ScatterParts,
  nodeId: string,
  find: (nodeId: string) => Promise<SessionRecord>,
  call: { method: string; payload: Uint8Array; options: RequestOptions },
): Promise<RequestReport> {
  const { method, payload, options } = call;
  const { found: node, left } = await looked(parts, options, () => find(nodeId));
  const startedMs = parts.clock.monotonicMs();
  const reply = await timed(parts, startedMs, node.description.nodeId, () =>
    send(parts, node.id, method, payload, left),
  );
  return { replies: [reply], silent: [] };
}

/** To find out whom to ask takes time, and is part of the time that the whole may take. */
async function looked<Found>(
  { clock, requestTimeoutMs }: ScatterParts,
  options: RequestOptions,
  look: () => Promise<Found>,
): Promise<{ found: Found; left: RequestOptions }> {
  const { timeoutMs = requestTimeoutMs } = options;
  const startedMs = clock.monotonicMs();
  const found = await withDeadline(clock, timeoutMs, look());
  const leftMs = timeoutMs - (clock.monotonicMs() - startedMs);
  return { found, left: { ...options, timeoutMs: leftMs } };
}

/** The reply, or the node's name when none came. */
async function ask(
  parts: ScatterParts,
  node: SessionRecord,
  method: string,
  payload: Uint8Array,
  options: RequestOptions,
): Promise<ReplyReport | string> {
  const { nodeId } = node.description;
  const startedMs = parts.clock.monotonicMs();
  try {
    return await timed(parts, startedMs, nodeId, () =>
      send(parts, node.id, method, payload, options),
    );
  } catch (error) {
    // Whoever refused was not silent.
    if (!(error instanceof AnsweredError)) return nodeId;
    return failedReply(error, nodeId, parts.clock.monotonicMs() - startedMs);
  }
}

function send(
  parts: ScatterParts,
  session: string,
  method: string,
  payload: Uint8Array,
  options: RequestOptions,
) {
  return parts.requester.send({
    session,
    plane: 'call',
    method,
    doc: null,
    direct: true,
    hops: 0,
    payload,
    remainingMs: options.timeoutMs ?? parts.requestTimeoutMs,
    signal: options.signal,
  });
}

/** What the other side answered, be it an error; only the lack of an answer is thrown. */
export async function timed(
  parts: { readonly clock: Clock },
  startedMs: number,
  nodeId: string,
  run: () => Promise<{ nodeId: string; hops: number; payload: Uint8Array }>,
): Promise<ReplyReport> {
  const latency = () => parts.clock.monotonicMs() - startedMs;
  try {
    const { payload, hops, nodeId: by } = await run();
    return { nodeId: by, ok: true, payload, error: null, latencyMs: latency(), hops };
  } catch (thrown) {
    const error = asBackplaneError(thrown);
    const answered = ['METHOD_UNKNOWN', 'HANDLER_FAILED', 'REQUEST_INVALID', 'PAYLOAD_INVALID'];
    if (!answered.includes(error.code) && !wasHandled(error)) throw error;
    return failedReply(error, nodeId, latency());
  }
}

function failedReply(error: BackplaneError, askedNodeId: string, latencyMs: number): ReplyReport {
  const nodeId = error instanceof AnsweredError ? error.nodeId : askedNodeId;
  return { nodeId, ok: false, payload: null, error: toReplyError(error), latencyMs, hops: 0 };
}

/** The newest session under a node id; says whether such a node is unknown or dead. */
export async function findNode(
  list: () => Promise<SessionRecord[]>,
  nodeId: string,
): Promise<SessionRecord> {
  const named = (await list()).filter(({ description }) => description.nodeId === nodeId);
  const live = named.filter(({ state }) => state === 'live');
  const newest = live.toSorted((a, b) => a.lastBeatAgoMs - b.lastBeatAgoMs)[0];
  if (newest) return newest;
  if (named.length > 0) {
    throw new BackplaneError('NODE_DEAD', `the node "${nodeId}" is dead`);
  }
  throw new BackplaneError('NODE_UNKNOWN', `no node is called "${nodeId}"`);
}
