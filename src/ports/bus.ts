/**
 * Publish and subscribe between nodes. Fast, and allowed to lose messages: everything that must
 * not be lost is in the store, and a subscriber notices a gap by `seq`.
 *
 * Channel names are made by the runtime (`runtime/channels.ts`) from encoded names only.
 *
 * Laws, each a test in `test/conformance/bus.ts`:
 *  1. What is published after `subscribe` has resolved reaches the listener, byte for byte, in the
 *     order of publishing, unless the subscription was interrupted.
 *  2. `publish` answers how many subscribers the engine handed the payload to; 0 means nobody.
 *  3. `receivers` counts without being counted.
 *  4. After `close` of a subscription resolved its listener hears nothing and is not counted.
 *  5. After an interruption the engine restores every subscription by itself and then tells every
 *     `onInterrupted` listener: whatever was published in between may be missing.
 *  6. A name is a name: `*`, `?` and brackets mean nothing.
 *  7. Two subscriptions of one bus to one channel both hear; ending one leaves the other.
 *  8. Without a broker, calls fail with BACKPLANE_UNREACHABLE or BACKPLANE_LOST before their
 *     deadline; after `close` of the bus, with CLOSED.
 */
export interface Bus {
  publish(channel: string, payload: Uint8Array): Promise<number>;
  subscribe(channel: string, listen: BusListener): Promise<Subscription>;
  receivers(channel: string): Promise<number>;
  onInterrupted(listen: () => void): Unlisten;
  /** Drops the subscriber connection and makes a new one: the cure for a connection gone deaf. */
  reconnectSubscriber(): Promise<void>;
}

/** The payload is only valid during the call unless it is copied. */
export type BusListener = (payload: Uint8Array) => void;
export type Unlisten = () => void;

export interface Subscription {
  close(): Promise<void>;
}
