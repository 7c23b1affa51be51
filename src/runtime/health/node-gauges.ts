import type { Caches } from '../cache/caches.ts';
import type { NodeParts } from '../node-parts.ts';
import { relayGauges } from '../relay/relay.ts';

/** How things stand on a node now; of one that does not run, nothing. */
export function nodeGauges(
  parts: NodeParts | null,
  caches: Caches,
  own: { readonly connections: number; readonly isDraining: boolean },
): Record<string, number> {
  return {
    documents_owned: parts?.documents.size ?? 0,
    documents_followed: parts?.feeds.size ?? 0,
    requests_pending: parts?.requester.pending ?? 0,
    connections: own.connections,
    session_valid: parts?.keeper.isValid() ? 1 : 0,
    subscriber_deaf: parts?.probe.isDeaf ? 1 : 0,
    draining: own.isDraining ? 1 : 0,
    cache_entries: caches.entries,
    ...relayGauges(parts?.relay),
  };
}
