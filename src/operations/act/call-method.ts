import {
  BackplaneError,
  type ErrorCode,
  isErrorCode,
  publicCode,
} from '../../foundation/errors.ts';
import { checkDocumentName, checkNodeId } from '../../foundation/identifiers.ts';
import type { Leases } from '../../ports/leases.ts';
import type { Sessions } from '../../ports/sessions.ts';
import type { ReplyReport, RequestOptions, RequestTarget } from '../../runtime/reports.ts';
import type { Visitor } from '../../runtime/visitor.ts';
import { findSessions } from '../inspect/find-session.ts';
import { compareValues } from '../inspect/row-filter.ts';
import { showPayload } from '../inspect/show-payload.ts';

/** Who answered a call, with what, and by name who did not. */
export interface CallReport {
  /** As it was asked: `doc:ID`, `node:ID` or `all`. */
  readonly target: string;
  readonly method: string;
  readonly replies: readonly CallReply[];
  readonly silent: readonly string[];
}

export interface CallReply {
  /** Null when the owner that failed is not known any more. */
  readonly nodeId: string | null;
  readonly ok: boolean;
  /** The value when the payload is JSON, else text or base64, as `encoding` says. */
  readonly payload: unknown;
  readonly encoding: 'json' | 'text' | 'base64' | null;
  readonly error: CallError | null;
  readonly latencyMs: number;
  /** Nodes the call passed through before the one that answered. */
  readonly hops: number;
}

export interface CallError {
  /** As people see it: `BP-HANDLER-FAILED`. */
  readonly code: string;
  readonly message: string;
  readonly certainty: 'definite' | 'indefinite';
}

export interface CallParts {
  readonly sessions: Sessions;
  readonly leases: Leases;
  readonly visitor: Visitor;
}

export interface Call {
  readonly target: RequestTarget;
  readonly method: string;
  readonly payload: Uint8Array;
}

/**
 * Calls a method of a document's owner, of one node, or of all nodes. What a handler answered is
 * in the report, also when it failed; throws only when nobody could be asked: NODE_UNKNOWN,
 * NODE_DEAD, NO_RESPONDER, NO_NODES, DEADLINE_EXCEEDED.
 */
export async function callMethod(
  parts: CallParts,
  call: Call,
  options: RequestOptions = {},
): Promise<CallReport> {
  if (call.target.kind === 'node') await refuseTheDead(parts.sessions, call.target.nodeId);
  const { replies, silent } = await parts.visitor.request(
    call.target,
    call.method,
    call.payload,
    options,
  );
  const named = await Promise.all(
    replies.map(async (reply) => reportReply(reply, await whoReplied(parts, call, reply))),
  );
  return {
    target: targetText(call.target),
    method: call.method,
    replies: named.sort(byNodeId),
    silent: silent.toSorted(),
  };
}

/** A routed call that failed comes back without a name: then it was the owner's. */
async function whoReplied(
  { leases, sessions }: CallParts,
  { target }: Call,
  { nodeId }: ReplyReport,
): Promise<string | null> {
  if (nodeId !== '') return nodeId;
  const lease = target.kind === 'doc' ? await leases.read(target.doc) : null;
  const owner = lease && (await sessions.read(lease.session));
  return owner?.description.nodeId ?? null;
}

function reportReply(reply: ReplyReport, nodeId: string | null): CallReply {
  const { ok, error, latencyMs, hops } = reply;
  return {
    nodeId,
    ok,
    ...showPayload(reply.payload),
    error: error && {
      code: publicCode(error.code),
      message: error.message,
      certainty: error.certainty,
    },
    latencyMs: Math.round(latencyMs * 100) / 100,
    hops,
  };
}

function byNodeId(a: CallReply, b: CallReply): number {
  return compareValues(a.nodeId, b.nodeId);
}

/** Why a call did not fully succeed; null when everybody asked answered well. */
export function callFailure(report: CallReport): BackplaneError | null {
  const { replies, silent, method, target } = report;
  const failed = replies.find((reply) => !reply.ok);
  if (failed?.error) {
    const { code, message, certainty } = failed.error;
    return new BackplaneError(
      errorCodeOf(code),
      `${method} failed on ${failed.nodeId ?? 'the owner'}: ${message}`,
      {
        certainty,
        facts: { nodeId: failed.nodeId, target, method },
      },
    );
  }
  if (replies.length === 0 && silent.length === 0) {
    return new BackplaneError('NO_RESPONDER', `nobody receives requests for ${target}`);
  }
  if (silent.length === 0) return null;
  const code = replies.length === 0 ? 'DEADLINE_EXCEEDED' : 'PARTIAL';
  return new BackplaneError(code, `no answer from ${silent.join(', ')}`, {
    facts: { silent, target, method },
  });
}

function errorCodeOf(shown: string): ErrorCode {
  const code = shown.slice('BP-'.length).replaceAll('-', '_');
  return isErrorCode(code) ? code : 'HANDLER_FAILED';
}

/** Reads `doc:ID`, `node:ID` or `all`. Throws USAGE, NAME_INVALID. */
export function parseCallTarget(text: string): RequestTarget {
  if (text === 'all') return { kind: 'all' };
  if (text.startsWith('doc:')) return { kind: 'doc', doc: checkDocumentName(text.slice(4)) };
  if (text.startsWith('node:')) return { kind: 'node', nodeId: checkNodeId(text.slice(5)) };
  throw new BackplaneError('USAGE', `"${text.slice(0, 80)}" is not a target`, {
    remedy: 'write doc:ID, node:ID or all',
  });
}

/** A method's name, as nodes register them. Throws USAGE. */
export function checkMethodName(method: string): string {
  if (/^[a-z][a-z0-9.-]{0,63}$/.test(method)) return method;
  throw new BackplaneError('USAGE', `"${method.slice(0, 80)}" cannot be a method`, {
    remedy:
      'methods are 1 to 64 lower-case letters, digits, dots and dashes: backplane rpc node:ID methods',
  });
}

function targetText(target: RequestTarget): string {
  switch (target.kind) {
    case 'all':
      return 'all';
    case 'doc':
      return `doc:${target.doc}`;
    case 'node':
      return `node:${target.nodeId}`;
  }
}

/** Told apart here, because the router only sees that nobody listens. */
async function refuseTheDead(sessions: Sessions, nodeId: string): Promise<void> {
  const found = await findSessions(sessions, nodeId);
  if (found.some((record) => record.state === 'live')) return;
  throw new BackplaneError('NODE_DEAD', `the node "${nodeId}" is dead (${found[0]?.cause})`, {
    facts: { nodeId, cause: found[0]?.cause ?? null },
  });
}
