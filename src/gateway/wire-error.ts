import { asBackplaneError } from '../foundation/errors.ts';
import type { WireError } from '../foundation/peer-protocol.ts';

/** What a peer is told of a failure. What we did not expect is not described to strangers. */
export function wireError(thrown: unknown): WireError {
  const { code, certainty, message, facts } = asBackplaneError(thrown);
  if (code === 'INTERNAL') return { code, certainty, message: 'the node failed', facts: {} };
  if (code === 'CLOSED') {
    // Stopped is what the node is, not a mistake of the peer's; another node will do.
    return { code: 'DRAINING', certainty, message: 'the node has stopped', facts: {} };
  }
  return { code, certainty, message, facts };
}
