/**
 * The one catalogue of everything the world can do to us.
 *
 * `certainty` answers the question a caller has after a failure: *definite* means the request did
 * not happen and never will; *indefinite* means it may have happened. In doubt: indefinite.
 * The idea is Maelstrom's (jepsen-io/maelstrom, doc/protocol.md).
 */
export type Certainty = 'definite' | 'indefinite';

interface CatalogueEntry {
  readonly certainty: Certainty;
  readonly meaning: string;
  readonly remedy: string;
}

const definite = (meaning: string, remedy: string): CatalogueEntry => ({
  certainty: 'definite',
  meaning,
  remedy,
});
const indefinite = (meaning: string, remedy: string): CatalogueEntry => ({
  certainty: 'indefinite',
  meaning,
  remedy,
});

export const errorCatalogue = {
  // What the user said.
  USAGE: definite('The command line does not make sense.', 'backplane help'),
  CONFIG_INVALID: definite('A setting has a value that cannot work.', 'backplane help serve'),
  URL_INVALID: definite(
    'The URL does not parse, or no engine has its scheme.',
    'use redis://, rediss://, unix:, local: or no URL at all',
  ),
  NAME_INVALID: definite(
    'A name is empty, too long, or holds control characters.',
    'use 1 to 512 bytes of printable text',
  ),
  PAYLOAD_INVALID: definite(
    'The payload is not what the engine of this document takes.',
    'send valid JSON, or serve with --engine log for opaque payloads',
  ),
  PAYLOAD_TOO_LARGE: definite(
    'The payload is above the limit.',
    'send less than 1 MiB, or split the change into several ops',
  ),
  PORT_BUSY: definite(
    'Another process listens on the port.',
    'choose another with --port, or see who has it: ss -ltnp',
  ),
  TOKEN_REQUIRED: definite(
    'Listening beyond loopback needs a token.',
    'set BACKPLANE_TOKEN, or listen on 127.0.0.1',
  ),
  DATA_FOLDER_UNUSABLE: definite(
    'The data folder cannot be created or written.',
    'choose another with --data-dir',
  ),
  HISTORY_INVALID: definite(
    'The file cannot be read, or is not a whole history.',
    'record it again; the format is in: backplane help history',
  ),
  SCENARIO_INVALID: definite(
    'The file is no scenario, or one that cannot be run.',
    'compare it with one that can: backplane drill show owner-crash --source',
  ),
  RECORDING_INVALID: definite(
    'The file cannot be read, or is no recording of the dashboard.',
    'record one: backplane top --record FILE',
  ),
  CONTEXT_UNKNOWN: definite('No context has this name.', 'backplane context ls'),
  CLUSTER_MISMATCH: definite(
    'This node is set up differently from the cluster it wants to join.',
    'start it with the settings of the cluster, or with another --prefix',
  ),

  // The backplane.
  BACKPLANE_UNREACHABLE: definite(
    'Nobody answers at the URL of the backplane.',
    'check --url, and that the server runs',
  ),
  BACKPLANE_LOST: indefinite(
    'The connection to the backplane broke, or did not answer in time, while a change was under way.',
    'look before you repeat it: backplane inspect lease DOC',
  ),
  AUTH_FAILED: definite(
    'The backplane refused the user name or password.',
    'check the user and password of --url or BACKPLANE_URL',
  ),
  PERMISSION_DENIED: definite(
    'An access rule of the backplane forbids this command, key or channel.',
    'grant it to the user: ACL SETUSER',
  ),
  SERVER_UNSUPPORTED: definite(
    'The server lacks something this tool needs.',
    'use Redis 6.2 or later, or Valkey 7.2 or later',
  ),
  FRAME_INVALID: definite(
    'A frame from the network could not be read.',
    'look for other programs on the same key prefix',
  ),
  PROTOCOL_UNKNOWN: definite(
    'The other side speaks a version of the protocol unknown here.',
    'run the same version on every node: backplane inspect nodes -o wide',
  ),

  // What is not there.
  DOCUMENT_UNKNOWN: definite('No such document was ever written.', 'backplane inspect docs'),
  LEASE_UNKNOWN: definite('Nobody owns the document.', 'backplane inspect leases'),
  CONNECTION_UNKNOWN: definite(
    'No connection matches, on any node.',
    'backplane inspect connections',
  ),
  USER_UNKNOWN: definite('The user has no connection, on any node.', 'backplane inspect users'),
  GROUP_UNKNOWN: definite('The group has no connection, on any node.', 'backplane inspect groups'),
  NODE_UNKNOWN: definite('No node has this id.', 'backplane inspect nodes'),
  SCENARIO_UNKNOWN: definite('No scenario has this name.', 'backplane drill list'),
  CACHE_REGION_UNKNOWN: definite(
    'No node has a cache region of this name.',
    'backplane inspect cache',
  ),

  // Time, and nobody there.
  DEADLINE_EXCEEDED: indefinite(
    'No answer came before the deadline.',
    'see which nodes are silent: backplane inspect nodes',
  ),
  NO_RESPONDER: definite('Nobody receives requests for this target.', 'backplane inspect nodes'),
  NO_NODES: definite('The cluster has no live node.', 'start one: backplane serve'),
  NODE_DEAD: definite('The node has died.', 'backplane inspect nodes'),
  RESPONDER_GONE: indefinite(
    'The node died while it had the request.',
    'send it again; an op with the same opId is applied once',
  ),
  DRAINING: definite('The node is stopping and takes nothing new.', 'ask another node'),
  OVERLOADED: definite('A queue is full, or too many requests wait.', 'send less, or later'),

  // The other side said no.
  METHOD_UNKNOWN: definite('No node handles this method.', 'backplane rpc node:ID methods'),
  HANDLER_FAILED: indefinite(
    'The method was run by the node and failed.',
    "look at that node's log",
  ),
  REQUEST_INVALID: definite('The request has the wrong shape.', 'backplane help rpc'),
  UNAUTHORIZED: definite('The token is missing or wrong.', 'set BACKPLANE_TOKEN'),

  KICKED: definite(
    'The connection was closed on purpose, by an operator or the application.',
    'ask whoever runs the nodes',
  ),

  // Ownership.
  LEASE_HELD: definite('Another node owns the document.', 'backplane inspect lease DOC'),
  LEASE_LOST: definite('The lease went to another session.', 'backplane inspect lease DOC'),
  LEASE_UNCERTAIN: definite(
    'The node cannot prove that its session is alive, so it serves nothing it owns.',
    'check the connection of that node to the backplane',
  ),
  NOT_OWNER: definite('The node asked does not own the document.', 'ask again'),
  NODE_ALIVE: definite('The node is alive.', 'backplane node drain ID'),
  FENCED: definite('A later owner has fenced this one off.', 'ask again'),
  CONFLICT: definite('Somebody else changed it first.', 'look, then try again'),
  SESSION_TAKEN: definite('The session id was opened before.', 'ask again'),
  SESSION_LOST: definite('The session of the node has died.', 'wait: the node opens a new one'),
  OP_GAP: definite(
    'An earlier op of the same peer is missing.',
    'send the ops of a peer in order, without gaps',
  ),

  // The store.
  STORE_UNAVAILABLE: indefinite('The store did not answer, or failed.', 'check the store'),
  STORE_LOCKED: definite(
    'Another program has locked the store.',
    'find it (fuser FILE) and let it finish',
  ),
  STORE_CORRUPT: definite(
    'The store is damaged, or is not one of ours. It was left untouched.',
    'restore it from a back-up, or name another with --store',
  ),
  STORE_FULL: definite('The disk or memory of the store is full.', 'make room'),
  CACHE_STALE: definite(
    'The node has not heard from the backplane for longer than the cache may be stale.',
    'check the connection of that node to the backplane',
  ),
  LOG_REWOUND: definite(
    'The log of the document lost ops that were acknowledged. The document is quarantined.',
    'restore the store, then restart the nodes',
  ),

  // The relay.
  DAEMON_UNAVAILABLE: definite(
    'The workspace has no daemon now.',
    'start it, or wait: the client says when it is there',
  ),
  RELAY_DAEMON_TAKEN: definite(
    'The workspace has another daemon.',
    'find it with backplane inspect relay WORKSPACE, or take over: serveWorkspace({ take: true })',
  ),
  RELAY_LOST: indefinite(
    'The other side went away for good after the frame was sent: it may have arrived, or not.',
    'ask the application on the other side',
  ),
  RELAY_DROPPED: definite(
    'The queue was full, and the oldest frame was dropped, as it was told to.',
    'send less, or wait for what was sent',
  ),
  RELAY_REDIRECT_REFUSED: definite(
    "The public URL of the daemon's node is on no list of allowed hosts.",
    'serve with --redirect-allow HOST',
  ),
  WORKSPACE_UNKNOWN: definite(
    'No node knows a daemon or a browser of this workspace.',
    'backplane inspect relay',
  ),

  // How a command ends.
  ASSERTION_FAILED: definite('What was asserted does not hold.', 'read the report'),
  INCONCLUSIVE: definite('The fault could not be injected or observed.', 'read the report'),
  PARTIAL: definite('Some nodes did not answer.', 'backplane inspect nodes'),
  INTERRUPTED: indefinite('The command was interrupted.', 'run it again'),
  COMMAND_FAILED: definite('The command under the lease failed.', 'see its output'),
  CLOSED: definite('It was used after it was stopped.', 'report this as a bug'),
  INTERNAL: indefinite('Something failed that should not.', 'run it again with --debug'),
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof errorCatalogue;

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(errorCatalogue, value);
}

/** The code as people see it: `LEASE_HELD` is shown as `BP-LEASE-HELD`. */
export function publicCode(code: ErrorCode): string {
  return `BP-${code.replaceAll('_', '-')}`;
}

export interface ErrorDetails {
  readonly cause?: unknown;
  /** When this instance knows better than the catalogue whether it may have happened. */
  readonly certainty?: Certainty;
  /** When this instance knows a better next step than the catalogue. */
  readonly remedy?: string;
  /** Facts for programs: the holder of a lease, the epoch expected. JSON-safe. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** A failure of the world: expected, coded, and explained. Our own bugs are `InvariantViolated`. */
export class BackplaneError extends Error {
  override name = 'BackplaneError';
  readonly code: ErrorCode;
  readonly certainty: Certainty;
  readonly remedy: string;
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.certainty = details.certainty ?? errorCatalogue[code].certainty;
    this.remedy = details.remedy ?? errorCatalogue[code].remedy;
    this.facts = details.facts ?? {};
  }
}

export function isBackplaneError(value: unknown, ...codes: ErrorCode[]): value is BackplaneError {
  return value instanceof BackplaneError && (codes.length === 0 || codes.includes(value.code));
}

/** Anything thrown, as ours: what we do not know is INTERNAL and may have happened. */
export function asBackplaneError(thrown: unknown): BackplaneError {
  if (thrown instanceof BackplaneError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new BackplaneError('INTERNAL', message, { cause: thrown });
}

/** The same failure, of which nobody can say that it did not happen after all. */
export function inDoubt(error: BackplaneError): BackplaneError {
  if (error.certainty === 'indefinite') return error;
  const { code, message, cause, remedy, facts } = error;
  return new BackplaneError(code, message, { cause, remedy, facts, certainty: 'indefinite' });
}
