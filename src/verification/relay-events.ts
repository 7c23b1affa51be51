import type { Recorded } from './recorded.ts';

/** One end of a workspace sends a frame; its frames count 1, 2, 3 … */
export interface RelaySend extends Recorded {
  readonly ev: 'relay.send';
  readonly workspace: string;
  readonly sender: string;
  readonly frame: number;
}

/** The application on the other end got the frame. */
export interface RelayDeliver extends Recorded {
  readonly ev: 'relay.deliver';
  readonly workspace: string;
  readonly sender: string;
  readonly frame: number;
  readonly receiver: string;
}

/** What the sender was told: it arrived; it may have (`lost`); it did not and never will (`unsent`). */
export interface RelayEnd extends Recorded {
  readonly ev: 'relay.end';
  readonly workspace: string;
  readonly sender: string;
  readonly frame: number;
  readonly outcome: 'taken' | 'lost' | 'unsent';
}

/** What a node did with a browser's connection: passed on a frame of it, or sent it elsewhere. */
export interface RelayRoute extends Recorded {
  readonly ev: 'relay.route';
  readonly connection: string;
  readonly way: 'forwarded' | 'redirected';
  /** It came from a redirect. */
  readonly redirectedBefore: boolean;
}
