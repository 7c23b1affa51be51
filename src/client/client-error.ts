import { BackplaneError, isErrorCode } from '../foundation/errors.ts';
import type { WireError } from '../foundation/peer-protocol.ts';

/** A failure as a node told it. A code of a later version is INTERNAL here, with its name kept. */
export function clientError(error: WireError): BackplaneError {
  const { code, message, certainty, facts } = error;
  if (isErrorCode(code)) return new BackplaneError(code, message, { certainty, facts });
  return new BackplaneError('INTERNAL', `${code}: ${message}`, { certainty, facts });
}
