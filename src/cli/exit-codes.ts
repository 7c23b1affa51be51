import type { BackplaneError, ErrorCode } from '../foundation/errors.ts';

/** What a shell is told; scripts rely on these from the first version. */
export const exitCodes = {
  0: 'ok',
  1: 'internal error, or the store failed',
  2: 'usage or configuration',
  3: 'cannot reach the backplane, or it refuses',
  4: 'not found',
  5: 'timed out, or the connection broke while a change was under way',
  6: 'no responder',
  7: 'the remote handler failed',
  8: 'conflict: the lease is held, or a compare-and-set lost',
  9: 'an assertion or invariant does not hold',
  10: 'inconclusive: a fault could not be injected or observed',
  11: 'partial: some nodes did not answer',
  130: 'interrupted',
} as const;

export type ExitCode = keyof typeof exitCodes;

/** One exit code for each error code: a new error does not compile until it has one. */
export const exitCodeOfError: Record<ErrorCode, ExitCode> = {
  USAGE: 2,
  CONFIG_INVALID: 2,
  URL_INVALID: 2,
  NAME_INVALID: 2,
  PAYLOAD_INVALID: 2,
  PAYLOAD_TOO_LARGE: 2,
  PORT_BUSY: 2,
  TOKEN_REQUIRED: 2,
  DATA_FOLDER_UNUSABLE: 2,
  HISTORY_INVALID: 2,
  RECORDING_INVALID: 2,
  SCENARIO_INVALID: 2,
  CONTEXT_UNKNOWN: 4,
  CLUSTER_MISMATCH: 2,

  BACKPLANE_UNREACHABLE: 3,
  BACKPLANE_LOST: 5,
  AUTH_FAILED: 3,
  PERMISSION_DENIED: 3,
  SERVER_UNSUPPORTED: 3,
  FRAME_INVALID: 1,
  PROTOCOL_UNKNOWN: 3,

  DOCUMENT_UNKNOWN: 4,
  LEASE_UNKNOWN: 4,
  CONNECTION_UNKNOWN: 4,
  USER_UNKNOWN: 4,
  GROUP_UNKNOWN: 4,
  NODE_UNKNOWN: 4,
  SCENARIO_UNKNOWN: 4,
  CACHE_REGION_UNKNOWN: 4,
  WORKSPACE_UNKNOWN: 4,

  DEADLINE_EXCEEDED: 5,
  NO_RESPONDER: 6,
  NO_NODES: 6,
  NODE_DEAD: 6,
  RESPONDER_GONE: 6,
  DRAINING: 6,
  OVERLOADED: 6,

  METHOD_UNKNOWN: 7,
  HANDLER_FAILED: 7,
  REQUEST_INVALID: 7,
  KICKED: 8,
  UNAUTHORIZED: 3,

  LEASE_HELD: 8,
  LEASE_LOST: 8,
  LEASE_UNCERTAIN: 8,
  NOT_OWNER: 8,
  NODE_ALIVE: 8,
  FENCED: 8,
  CONFLICT: 8,
  SESSION_TAKEN: 8,
  SESSION_LOST: 8,
  OP_GAP: 8,

  DAEMON_UNAVAILABLE: 6,
  RELAY_DAEMON_TAKEN: 8,
  RELAY_LOST: 5,
  RELAY_DROPPED: 6,
  RELAY_REDIRECT_REFUSED: 2,

  CACHE_STALE: 3,

  STORE_UNAVAILABLE: 1,
  STORE_LOCKED: 1,
  STORE_CORRUPT: 1,
  STORE_FULL: 1,
  LOG_REWOUND: 9,

  ASSERTION_FAILED: 9,
  INCONCLUSIVE: 10,
  PARTIAL: 11,
  INTERRUPTED: 130,
  COMMAND_FAILED: 1,
  CLOSED: 1,
  INTERNAL: 1,
};

/** The code to exit with. A command run for the user passes its own on, as `flock` and `env` do. */
export function exitCodeOf(error: BackplaneError): number {
  const passedOn = error.facts.exitCode;
  if (error.code === 'COMMAND_FAILED' && typeof passedOn === 'number') return passedOn;
  return exitCodeOfError[error.code];
}
