import { isBackplaneError } from '../foundation/errors.ts';
import type { ServerMessage } from '../foundation/peer-protocol.ts';

type Shape = Readonly<Record<string, 'number' | 'string' | 'array'>>;

/** The fields the client relies on. More may come: a node may be of a later version than the client. */
const shapes: Readonly<Record<ServerMessage['type'], Shape>> = {
  welcome: { nodeId: 'string' },
  joined: { doc: 'string', seq: 'number' },
  ops: { doc: 'string', ops: 'array' },
  awareness: { doc: 'string', changes: 'array' },
  ack: { ref: 'number', doc: 'string', opId: 'string', seq: 'number', epoch: 'number' },
  refused: { ref: 'number', code: 'string', certainty: 'string', message: 'string' },
  reply: { ref: 'number', nodeId: 'string' },
  draining: { reconnectAfterMs: 'number' },
  failed: { doc: 'string', code: 'string', certainty: 'string', message: 'string' },
  message: {},
  invoke: { ref: 'number', method: 'string' },
  cancel: { ref: 'number' },
  pong: {},
};

/** A node's message; null when it is none, or one this version does not know. */
export function readServerMessage(data: unknown): ServerMessage | null {
  if (typeof data !== 'string') return null;
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return null;
  }
  if (value === null || typeof value !== 'object') return null;
  const message = value as Record<string, unknown>;
  const { type } = message;
  if (typeof type !== 'string' || !Object.hasOwn(shapes, type)) return null;
  const shape = shapes[type as ServerMessage['type']];
  for (const [field, kind] of Object.entries(shape)) {
    const found = message[field];
    if (kind === 'array' ? !Array.isArray(found) : typeof found !== kind) return null;
  }
  return message as ServerMessage;
}

/** The counter an OP_GAP asks for; null when it is none. */
export function expectedCounter(error: unknown): number | null {
  if (!isBackplaneError(error, 'OP_GAP')) return null;
  const { expected } = error.facts;
  return typeof expected === 'number' ? expected : null;
}
