import { BackplaneError, type Certainty, isErrorCode } from '../../foundation/errors.ts';
import { checkName } from '../../foundation/identifiers.ts';
import { limits, presenceLimits } from '../../foundation/limits.ts';
import { checkSelector } from './connection-selector.ts';
import type { LocalDelivery, LocalOutcome } from './delivery-desk.ts';
import type { InvocationAnswer } from './presence-door.ts';

/** How a delivery and its outcome travel between nodes: JSON, with payloads as base64. */
export function writeDelivery(delivery: LocalDelivery): Uint8Array {
  const { payload, ...fields } = delivery;
  return Buffer.from(
    JSON.stringify({ ...fields, payload: Buffer.from(payload).toString('base64') }),
  );
}

/** Throws REQUEST_INVALID, NAME_INVALID. */
export function readDelivery(params: Readonly<Record<string, unknown>>): LocalDelivery {
  const { how, ref, selector, method, payload, timeoutMs } = params;
  if (how !== 'send' && how !== 'one' && how !== 'all') throw invalid('how');
  if (typeof payload !== 'string') throw invalid('payload');
  if (!Number.isFinite(timeoutMs)) throw invalid('timeoutMs');
  return {
    how,
    ref: checkName('ref', ref, 64),
    selector: checkSelector(selector),
    method: how === 'send' ? '' : checkName('method', method, presenceLimits.methodBytesMax),
    payload: Buffer.from(payload, 'base64'),
    timeoutMs: Math.max(0, Math.min(timeoutMs as number, 3_600_000)),
  };
}

const answerBytes = 300;
const outcomeBytesMax = limits.frameBytesMax - 262_144;

/** As many payloads as one reply can carry; an answer that does not fit says so in its place. */
export function writeOutcome({ delivered, answers }: LocalOutcome) {
  let room = outcomeBytesMax - answers.length * answerBytes;
  const rows = answers.map((answer) => {
    const { payload, ...rest } = answer;
    if (payload === null) return { ...rest, payload: null };
    const text = Buffer.from(payload).toString('base64');
    room -= text.length;
    return room >= 0 ? { ...rest, payload: text } : tooMuch(answer);
  });
  return { delivered, answers: rows };
}

export function readOutcome(value: unknown): LocalOutcome {
  const { delivered, answers } = (value ?? {}) as Record<string, unknown>;
  if (!Number.isSafeInteger(delivered) || !Array.isArray(answers)) throw invalid('answers');
  return { delivered: delivered as number, answers: answers.map(readAnswer) };
}

function readAnswer(value: unknown): InvocationAnswer {
  const { connection, nodeId, status, payload, error, latencyMs } = (value ?? {}) as Record<
    string,
    unknown
  >;
  const isKnown = ['ok', 'failed', 'timed-out', 'vanished'].includes(String(status));
  if (!isKnown || !Number.isFinite(latencyMs)) throw invalid('answers');
  return {
    connection: checkName('connection id', connection, 64),
    nodeId: checkName('node id', nodeId, limits.nodeIdBytesMax),
    status: status as InvocationAnswer['status'],
    payload: typeof payload === 'string' ? Buffer.from(payload, 'base64') : null,
    error: readError(error),
    latencyMs: latencyMs as number,
  };
}

function readError(value: unknown): InvocationAnswer['error'] {
  if (typeof value !== 'object' || value === null) return null;
  const { code, message, certainty, facts } = value as Record<string, unknown>;
  return {
    code: isErrorCode(code) ? code : 'HANDLER_FAILED',
    message: String(message).slice(0, 1_000),
    certainty: certainty === 'definite' ? 'definite' : ('indefinite' satisfies Certainty),
    facts: typeof facts === 'object' && facts !== null ? (facts as Record<string, unknown>) : {},
  };
}

function tooMuch({ connection, nodeId, latencyMs }: InvocationAnswer) {
  const message = 'its answer did not fit into the reply of its node';
  const error = { code: 'PAYLOAD_TOO_LARGE', message, certainty: 'indefinite', facts: {} };
  return { connection, nodeId, latencyMs, status: 'failed', payload: null, error };
}

function invalid(field: string): BackplaneError {
  return new BackplaneError('REQUEST_INVALID', `"${field}" of a delivery has the wrong shape`);
}
