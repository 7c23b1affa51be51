/** The peer's side, for browsers and Node.js: `import { connect } from 'backplane/client'`. */
export { BackplaneError, type ErrorCode, isBackplaneError } from '../foundation/errors.ts';
export type { Clock, Timer } from '../ports/clock.ts';
export type { Random } from '../ports/random.ts';
export type { BackplaneClient, ClientEvents, ClientState } from './backplane-client.ts';
export { type ConnectOptions, connect } from './connect.ts';
export type {
  AwarenessEvent,
  DocumentEvents,
  DocumentHandle,
  DocumentOp,
  DocumentSnapshot,
  OpenOptions,
  RpcOptions,
  SendOptions,
} from './document-handle.ts';
export type { OpAck } from './outgoing-ops.ts';
export type { WebSocketConstructor, WebSocketLike } from './web-socket.ts';
