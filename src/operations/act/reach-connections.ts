import {
  BackplaneError,
  type ErrorCode,
  isErrorCode,
  publicCode,
} from '../../foundation/errors.ts';
import { dials } from '../../foundation/limits.ts';
import type { ConnectionSelector } from '../../runtime/presence/connection-selector.ts';
import type { AnswerStatus } from '../../runtime/presence/presence-door.ts';
import type { RequestOptions } from '../../runtime/reports.ts';
import type { ClusterDoor } from '../inspect/ask-any-node.ts';
import { type ShownPayload, showPayload } from '../inspect/show-payload.ts';
import { askOneNode } from './ask-one-node.ts';
import type { CallError } from './call-method.ts';

/** What became of a message or an invocation, connection by connection. */
export interface ReachReport {
  readonly target: ConnectionSelector;
  readonly method: string | null;
  /** To how many a message was handed; of an invocation, how many it was handed to. */
  readonly delivered: number;
  readonly nodes: readonly string[];
  /** Of a message, only those that did not get it. */
  readonly answers: readonly ReachAnswer[];
  /** Answers beyond what one reply can carry. */
  readonly unlisted: number;
}

export interface ReachAnswer extends ShownPayload {
  readonly connection: string;
  readonly nodeId: string;
  readonly status: AnswerStatus;
  readonly error: CallError | null;
  readonly latencyMs: number;
}

export interface Reach {
  readonly how: 'send' | 'one' | 'all';
  readonly target: ConnectionSelector;
  readonly method: string | null;
  readonly payload: Uint8Array;
  readonly fresh: boolean;
}

/** A node that asks others needs a little longer than they may take. */
const marginMs = 500;

/**
 * Sends to connections, or invokes a method of theirs, through any node. Throws CONNECTION_UNKNOWN,
 * USER_UNKNOWN or GROUP_UNKNOWN at once; and what `one` failed with when none succeeded.
 */
export async function reachConnections(
  door: ClusterDoor,
  { how, target, method, payload, fresh }: Reach,
  options: RequestOptions = {},
): Promise<ReachReport> {
  const timeoutMs = options.timeoutMs ?? dials.requestTimeoutMs;
  const params = {
    how,
    selector: target,
    method: method ?? '',
    payload: Buffer.from(payload).toString('base64'),
    timeoutMs: Math.max(timeoutMs - marginMs, timeoutMs / 2),
    fresh,
  };
  const answer = await askOneNode(door, 'presence.deliver', params, { ...options, timeoutMs });
  const { delivered, nodes, answers, unlisted } = answer as Record<string, unknown>;
  return {
    target,
    method,
    delivered: Number(delivered),
    nodes: Array.isArray(nodes) ? nodes.map(String) : [],
    answers: Array.isArray(answers) ? answers.map(readAnswer) : [],
    unlisted: Number(unlisted) || 0,
  };
}

/** Why not all of it succeeded; null when it did. */
export function reachFailure({ answers, delivered, method }: ReachReport): BackplaneError | null {
  const wrong = answers.filter(({ status }) => status !== 'ok');
  const [first] = wrong.filter(({ status }) => status === 'failed').concat(wrong);
  if (!first?.error) return null;
  const { code, message, certainty } = first.error;
  const what = method === null ? 'the message did not reach' : `${method} failed at`;
  const others = wrong.length > 1 ? ` and ${wrong.length - 1} more` : '';
  const text = `${what} ${first.connection} on ${first.nodeId}${others}: ${message}`;
  const isPartial = first.status !== 'failed' && delivered > wrong.length;
  return new BackplaneError(isPartial ? 'PARTIAL' : codeOf(code), text, { certainty });
}

function readAnswer(value: unknown): ReachAnswer {
  const row = value as Record<string, unknown>;
  const error = row.error as { code: ErrorCode; message: string; certainty: string } | null;
  const bytes = typeof row.payload === 'string' ? Buffer.from(row.payload, 'base64') : null;
  return {
    connection: String(row.connection),
    nodeId: String(row.nodeId),
    status: row.status as AnswerStatus,
    ...showPayload(bytes),
    error: error && {
      code: publicCode(error.code),
      message: String(error.message),
      certainty: error.certainty === 'definite' ? 'definite' : 'indefinite',
    },
    latencyMs: Math.round(Number(row.latencyMs) * 100) / 100,
  };
}

function codeOf(shown: string): ErrorCode {
  const code = shown.slice('BP-'.length).replaceAll('-', '_');
  return isErrorCode(code) ? code : 'HANDLER_FAILED';
}
