import { BackplaneError } from '../foundation/errors.ts';
import type { RequestReport } from '../runtime/reports.ts';
import { encodePayload } from './encode-payload.ts';

/** The one reply of a document's owner as a message to the peer; throws the owner's error. */
export function replyText(ref: number, report: RequestReport): string {
  const [reply] = report.replies;
  if (!reply) {
    const silent = report.silent.join(', ');
    throw new BackplaneError('DEADLINE_EXCEEDED', `no answer came from ${silent || 'the owner'}`);
  }
  if (reply.error) {
    const { code, message, certainty, facts } = reply.error;
    throw new BackplaneError(code, message, { certainty, facts });
  }
  const payload = encodePayload('payload', reply.payload ?? new Uint8Array());
  return `{"type":"reply","ref":${ref},"nodeId":${JSON.stringify(reply.nodeId)},${payload}}`;
}
