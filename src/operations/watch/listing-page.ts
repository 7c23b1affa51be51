import { BackplaneError } from '../../foundation/errors.ts';
import { rowMentions } from '../../foundation/row-mention.ts';
import type { Registry } from '../../ports/registry.ts';
import type { CacheRegionReport } from '../../runtime/cache/cache.ts';
import type { Connection } from '../../runtime/presence/connection.ts';
import type { ConnectionSelector } from '../../runtime/presence/connection-selector.ts';
import type { UserPresence } from '../../runtime/presence/presence-door.ts';
import { askAnyNode, type ClusterDoor } from '../inspect/ask-any-node.ts';
import { type CacheListing, listCaches } from '../inspect/list-caches.ts';
import { type RelayReport, readRelayPage } from '../inspect/list-relay.ts';

/** A row of each, as the commands list them. */
export interface ListedRows {
  readonly connections: Connection;
  readonly users: UserPresence;
  readonly caches: CacheRegionReport;
  readonly workspaces: RelayReport;
}

export type ListingKind = keyof ListedRows;

/** A slice of what there is around clients: as many rows as a screen can use. */
export type ListingPage = { readonly [Kind in ListingKind]: PageOf<Kind> }[ListingKind];

interface PageOf<Kind extends ListingKind> {
  readonly kind: Kind;
  readonly rows: readonly ListedRows[Kind][];
  /** How many there are in all; null where counting them would mean reading them. */
  readonly total: number | null;
  /** The name after which the next page begins; null when there is none. */
  readonly next: string | null;
  /** Nodes that did not answer. */
  readonly silent: readonly string[];
}

export interface ListingQuery {
  readonly kind: ListingKind;
  /** Of connections and users: which. */
  readonly selector: ConnectionSelector;
  /** Which of them: `rowMentions` says how it is read. Asked of the nodes, so of all rows. */
  readonly filter: string;
  /** The name after which the page begins; null for the first. */
  readonly from: string | null;
  readonly limit: number;
}

export interface ListingSources extends ClusterDoor {
  readonly registry: Registry;
}

const timeoutMs = 2_500;

/**
 * Connections and users from one node, which cost one message there and one back; caches and
 * a page of workspaces from each, which cost that for every node. Throws NO_NODES.
 */
export async function readListingPage(
  sources: ListingSources,
  query: ListingQuery,
): Promise<ListingPage> {
  const { kind } = query;
  switch (kind) {
    case 'connections':
      return { kind, ...(await askPresence<Connection>(sources, query)) };
    case 'users':
      return { kind, ...(await askPresence<UserPresence>(sources, query)) };
    case 'caches':
      return { kind, ...slice(await listCaches(sources, { timeoutMs }), query) };
    case 'workspaces':
      return { kind, total: null, ...(await readRelayPage(sources, query, { timeoutMs })) };
  }
}

export function emptyListing(kind: ListingKind): ListingPage {
  return { kind, rows: [], total: 0, next: null, silent: [] };
}

async function askPresence<Row>(
  door: ListingSources,
  { kind, selector, filter, from, limit }: ListingQuery,
): Promise<{ rows: Row[]; total: number; next: string | null; silent: string[] }> {
  const params = { what: kind, selector, fresh: false, after: from, limit, filter };
  const answer = await askAnyNode(door, 'presence.query', params, { timeoutMs });
  const { rows, next, total } = answer as { rows: unknown; next: unknown; total: unknown };
  if (!Array.isArray(rows) || (next !== null && typeof next !== 'string')) {
    throw new BackplaneError('FRAME_INVALID', 'the node answered with no list');
  }
  const counted = typeof total === 'number' ? total : rows.length;
  return { rows: rows as Row[], total: counted, next, silent: [] };
}

/** They are not many, and come in the order of names; a page begins at a number of rows. */
function slice({ rows: all, silent }: CacheListing, { filter, from, limit }: ListingQuery) {
  const rows = all.filter(({ region, nodeId, state, whenCut }) =>
    rowMentions(filter, [region, nodeId, state === 'cut' ? `cut (${whenCut})` : state]),
  );
  const start = Number(from ?? 0);
  const end = start + limit;
  return {
    rows: rows.slice(start, end),
    total: rows.length,
    next: end < rows.length ? String(end) : null,
    silent,
  };
}
