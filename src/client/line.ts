import type { ClientMessage, ServerMessage } from '../foundation/peer-protocol.ts';

export type Answer = ServerMessage & { type: 'ack' | 'refused' | 'reply' };

/** The connection of a client as its documents see it: there or not there. */
export interface Line {
  readonly isUp: boolean;
  /** Lost without a word while the line is down; whoever posts posts again when it is up. */
  post(message: ClientMessage): void;
  /**
   * Sends what will be answered, if the node still takes more from this client; answers whether
   * it did. `answered` is called once, with null when the connection ended first.
   */
  request(request: LineRequest): boolean;
}

export interface LineRequest {
  readonly bytes: number;
  text(ref: number): string;
  answered(answer: Answer | null): void;
}
