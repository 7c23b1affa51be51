/** What the client needs of a WebSocket: browsers, Node.js and the ws package all have it. */
export interface WebSocketLike {
  send(text: string): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: SocketEventType, listen: (event: SocketEvent) => void): void;
}

/** The same socket where bytes travel, too. */
export interface BinarySocketLike extends WebSocketLike {
  binaryType: string;
  send(message: string | Uint8Array): void;
}

export type SocketEventType = 'open' | 'message' | 'close' | 'error';

export interface SocketEvent {
  readonly data?: unknown;
  readonly code?: number;
  readonly reason?: string;
}

export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;
