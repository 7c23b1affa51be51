import { isBackplaneError } from '../foundation/errors.ts';
import type { ServerMessage } from '../foundation/peer-protocol.ts';
import { readShaped, type Shapes } from './shaped-message.ts';

const shapes: Shapes<ServerMessage['type']> = {
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
  return readShaped(data, shapes) as ServerMessage | null;
}

/** The counter an OP_GAP asks for; null when it is none. */
export function expectedCounter(error: unknown): number | null {
  if (!isBackplaneError(error, 'OP_GAP')) return null;
  const { expected } = error.facts;
  return typeof expected === 'number' ? expected : null;
}
