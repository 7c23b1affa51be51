import type { NodeMessage } from '../foundation/relay-protocol.ts';
import { readShaped, type Shapes } from './shaped-message.ts';

const shapes: Shapes<NodeMessage['type']> = {
  welcome: { nodeId: 'string' },
  available: { instance: 'string', way: 'string' },
  unavailable: {},
  redirect: { url: 'string' },
  draining: { reconnectAfterMs: 'number' },
  pong: {},
};

/** What the node of a relay connection says; null when it is nothing this version knows. */
export function readNodeMessage(data: unknown): NodeMessage | null {
  return readShaped(data, shapes) as NodeMessage | null;
}
