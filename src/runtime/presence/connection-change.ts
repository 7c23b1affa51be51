import { BackplaneError } from '../../foundation/errors.ts';
import { checkName } from '../../foundation/identifiers.ts';
import { presenceLimits } from '../../foundation/limits.ts';
import { parsePlainJson } from '../../foundation/plain-json.ts';
import type { Requester } from '../requests/requester.ts';
import { type Connection, checkConnectionId, checkGroups, readRecord } from './connection.ts';

/** What shall become of one connection; `kick` says why it is closed. */
export interface ConnectionChange {
  readonly id: string;
  readonly join: readonly string[];
  readonly leave: readonly string[];
  readonly kick: string | null;
}

/** Throws REQUEST_INVALID, NAME_INVALID. */
export function readChange(params: Readonly<Record<string, unknown>>): ConnectionChange {
  const { id, join, leave, kick } = params;
  return {
    id: checkConnectionId(id),
    join: checkGroups(join),
    leave: checkGroups(leave),
    kick: kick === null ? null : checkName('reason', kick, presenceLimits.reasonBytesMax),
  };
}

/** Asks the node that holds the connection, its only writer. */
export async function changeAtHolder(
  parts: {
    readonly requester: Requester;
    readonly requestTimeoutMs: number;
    readonly connection: Connection;
  },
  change: ConnectionChange,
): Promise<Connection> {
  const { requester, requestTimeoutMs, connection } = parts;
  const { session, hub } = connection;
  const reply = await requester.send({
    session,
    plane: 'control',
    method: 'presence.hold',
    doc: null,
    direct: true,
    hops: 0,
    payload: Buffer.from(JSON.stringify(change)),
    remainingMs: requestTimeoutMs,
  });
  const answer = parsePlainJson(Buffer.from(reply.payload).toString('utf8'), 'the answer');
  const changed = readRecord({ id: connection.id, hub, session }, answer);
  if (changed) return changed;
  throw new BackplaneError('FRAME_INVALID', 'the node answered with no connection');
}
