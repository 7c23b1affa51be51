import type { NodeMessage } from '../foundation/relay-protocol.ts';

/** The fields the client relies on. More may come: a node may be of a later version than the client. */
const shapes: Readonly<Record<NodeMessage['type'], Readonly<Record<string, 'string' | 'number'>>>> =
  {
    welcome: { nodeId: 'string' },
    available: { instance: 'string', way: 'string' },
    unavailable: {},
    redirect: { url: 'string' },
    draining: { reconnectAfterMs: 'number' },
    pong: {},
  };

/** What the node of a relay connection says; null when it is nothing this version knows. */
export function readNodeMessage(data: unknown): NodeMessage | null {
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
  for (const [field, kind] of Object.entries(shapes[type as NodeMessage['type']])) {
    if (typeof message[field] !== kind) return null;
  }
  return message as NodeMessage;
}
