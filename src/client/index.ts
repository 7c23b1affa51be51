/** The peer's side, for browsers and Node.js: `import { connect } from 'backplane/client'`. */
export { BackplaneError, type ErrorCode, isBackplaneError } from '../foundation/errors.ts';
export type { PeerIdentity } from '../foundation/peer-protocol.ts';
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
export type { InvocationHandler, InvocationInfo } from './invocations.ts';
export {
  type JoinOptions,
  joinWorkspace,
  type WorkspaceEvents,
  type WorkspaceHandle,
} from './join-workspace.ts';
export type { OpAck } from './outgoing-ops.ts';
export type { LineState } from './relay-line.ts';
export type { RelayOptions } from './relay-options.ts';
export {
  type DaemonEvents,
  type DaemonHandle,
  type ServeOptions,
  serveWorkspace,
  type WorkspaceBrowser,
} from './serve-workspace.ts';
export type { WebSocketConstructor, WebSocketLike } from './web-socket.ts';
