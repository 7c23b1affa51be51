import { BackplaneError } from '../../foundation/errors.ts';

export interface PortBusyDetails {
  /** Who has it, where that is known: `a broker (process 4711)`. */
  readonly who?: string;
  readonly why?: string;
  readonly cause?: unknown;
}

/** The refusal to share the broker's port, with how to find out who has it. */
export function portBusy(port: number, details: PortBusyDetails = {}): BackplaneError {
  const { who = 'something else', why, cause } = details;
  const message = `${who} listens on 127.0.0.1:${port}`;
  return new BackplaneError('PORT_BUSY', why === undefined ? message : `${message}: ${why}`, {
    cause,
    remedy: `choose another with --broker-port, or see who has it: ss -ltnp 'sport = :${port}'`,
    facts: { port },
  });
}
