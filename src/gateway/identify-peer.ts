import type { IncomingHttpHeaders } from 'node:http';
import { type ConnectionIdentity, checkIdentity } from '../runtime/presence/connection.ts';

/** What a peer says of itself, and the request it came with. */
export interface PeerClaim {
  readonly claimed: ConnectionIdentity;
  readonly headers: IncomingHttpHeaders;
  /** Path and query; it may hold the token. */
  readonly url: string;
}

/**
 * Says who a peer is, whatever it claims; throwing refuses it. Without one, peers are believed: then
 * whoever has the token can call itself anybody.
 */
export type IdentifyPeer = (claim: PeerClaim) => ConnectionIdentity | Promise<ConnectionIdentity>;

export async function identifyPeer(
  identify: IdentifyPeer,
  claim: PeerClaim,
): Promise<ConnectionIdentity> {
  return checkIdentity(await identify(claim));
}
