import { BackplaneError } from '../../foundation/errors.ts';
import type { OpReceipt } from '../reports.ts';

/** The owner's answer to an op; what it does not say right is a bug of the other side. */
export function readReceipt(
  doc: string,
  opId: string,
  answer: { nodeId: string; hops: number; payload: Uint8Array },
): OpReceipt {
  const { seq, epoch, duplicate } = fieldsOf(answer.payload);
  if (!isPosition(seq) || !isPosition(epoch)) {
    throw new BackplaneError('FRAME_INVALID', `the answer to op ${opId} cannot be read`, {
      certainty: 'indefinite',
    });
  }
  const { nodeId, hops } = answer;
  return { doc, opId, seq, epoch, nodeId, hops, duplicate: duplicate === true };
}

function fieldsOf(payload: Uint8Array): Record<string, unknown> {
  try {
    return { ...JSON.parse(Buffer.from(payload).toString('utf8')) };
  } catch {
    return {};
  }
}

function isPosition(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}
