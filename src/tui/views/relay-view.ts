import type { RelayReport } from '../../operations/inspect/list-relay.ts';
import { countText } from '../drawing/figures.ts';
import { listingNote, listingRows, nextListingPage } from './listing-notes.ts';
import { type Column, defineTable } from './view.ts';

/** Every workspace: where its daemon is, who waits for it, and what is on its way. */
export const relayView = defineTable<RelayReport>({
  name: 'relay',
  aliases: ['workspaces', 'workspace', 'ws', 'r'],
  title: 'Relay',
  columns: [
    {
      key: 'workspace',
      header: 'WORKSPACE',
      text: ({ workspace }) => workspace,
      value: ({ workspace }) => workspace,
      widthMax: 60,
      yields: 0,
    },
    {
      key: 'daemon',
      header: 'DAEMON ON',
      text: ({ nodeId }) => nodeId ?? 'nobody',
      tone: ({ nodeId }) => (nodeId === null ? 'warning' : 'plain'),
      value: ({ nodeId }) => nodeId,
      widthMax: 32,
      yields: 0,
    },
    count('browsers', 'BROWSERS', 1, ({ browsers }) => browsers),
    {
      key: 'nodes',
      header: 'BROWSERS ON',
      text: ({ browserNodes }) => browserNodes.join(' ') || '-',
      value: ({ browserNodes }) => browserNodes.join(' '),
      widthMax: 48,
      yields: 4,
    },
    count('queued', 'BYTES WAITING', 2, ({ queuedBytes }) => queuedBytes),
    {
      ...count('dropped', 'DROPPED', 3, ({ dropped }) => dropped),
      tone: ({ dropped }) => (dropped > 0 ? 'warning' : 'plain'),
    },
    count('redirects', 'REDIRECTS', 3, ({ redirects }) => redirects),
  ],
  rows: ({ listing }) => (listing?.kind === 'workspaces' ? listing.rows : null),
  keyOf: ({ workspace }) => workspace,
  empty: 'nobody is in a workspace',
  note: (picture, state) => listingNote(picture, state, 'workspace'),
  nextPage: nextListingPage('workspaces'),
  wish: (_, { pages, filter }) => ({
    listing: {
      kind: 'workspaces',
      selector: {},
      filter,
      from: pages.at(-1) ?? null,
      limit: listingRows,
    },
  }),
});

function count(
  key: string,
  header: string,
  yields: number,
  value: (workspace: RelayReport) => number,
): Column<RelayReport> {
  return { key, header, yields, align: 'right', value, text: (row) => countText(value(row)) };
}
