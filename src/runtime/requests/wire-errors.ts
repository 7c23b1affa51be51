import {
  asBackplaneError,
  BackplaneError,
  type ErrorCode,
  type ErrorDetails,
  isErrorCode,
} from '../../foundation/errors.ts';
import type { WireError } from '../frames.ts';
import type { ReplyError } from '../reports.ts';

/** An error as it crosses the bus: no stack, no cause. */
export function toWireError(thrown: unknown): WireError {
  const { code, message, certainty, facts } = asBackplaneError(thrown);
  return { code, message: message.slice(0, 1_000), certainty, facts };
}

/** A failure that is somebody's answer: the node was there, and said no. */
export class AnsweredError extends BackplaneError {
  readonly nodeId: string;

  constructor(nodeId: string, code: ErrorCode, message: string, details: ErrorDetails) {
    super(code, message, details);
    this.nodeId = nodeId;
  }
}

/** A code we do not know comes from a newer version: kept as text, and it may have happened. */
export function fromWireError(wire: WireError, nodeId: string): AnsweredError {
  const message = String(wire.message).slice(0, 1_000);
  const facts = typeof wire.facts === 'object' && wire.facts !== null ? wire.facts : {};
  if (!isErrorCode(wire.code)) {
    return new AnsweredError(nodeId, 'HANDLER_FAILED', `${wire.code}: ${message}`, { facts });
  }
  const certainty = wire.certainty === 'definite' ? 'definite' : 'indefinite';
  return new AnsweredError(nodeId, wire.code, message, { certainty, facts });
}

export function toReplyError(error: BackplaneError): ReplyError {
  const { code, message, certainty, facts } = error;
  return { code, message, certainty, facts };
}
