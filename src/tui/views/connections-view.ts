import type { ListedRows } from '../../operations/watch/listing-page.ts';
import { sinceText } from '../drawing/figures.ts';
import { listingNote, listingRows, nextListingPage } from './listing-notes.ts';
import { kickAction } from './node-actions.ts';
import { defineTable } from './view.ts';

/** Every registered connection in the order of ids, page by page; of one user when one is opened. */
export const connectionsView = defineTable<ListedRows['connections']>({
  name: 'connections',
  aliases: ['connection', 'conn', 'co'],
  title: 'Connections',
  columns: [
    text('id', 'CONNECTION', 2, ({ id }) => id),
    text('user', 'USER', 0, ({ user }) => user ?? '-'),
    text('node', 'NODE', 1, ({ nodeId }) => nodeId),
    text('hub', 'HUB', 3, ({ hub }) => hub),
    text('groups', 'GROUPS', 2, ({ groups }) => groups.join(' ') || '-'),
    {
      key: 'since',
      header: 'FOR',
      align: 'right',
      text: ({ since }, nowAt) => sinceText(since, nowAt),
      value: ({ since }) => since,
      yields: 3,
    },
    text('attributes', 'ATTRIBUTES', 5, ({ attributes }) =>
      Object.entries(attributes)
        .map(([name, value]) => `${name}=${value}`)
        .join(' '),
    ),
  ],
  rows: ({ listing }) => (listing?.kind === 'connections' ? listing.rows : null),
  keyOf: ({ id }) => id,
  empty: 'nobody is connected',
  note: (picture, state) => listingNote(picture, state, 'connection'),
  nextPage: nextListingPage('connections'),
  wish: ({ subject }, { pages, filter }) => ({
    listing: {
      kind: 'connections',
      selector: subject === null ? {} : { user: subject },
      filter,
      from: pages.at(-1) ?? null,
      limit: listingRows,
    },
  }),
  actions: (connection) => [kickAction(connection)],
});

function text(
  key: string,
  header: string,
  yields: number,
  value: (connection: ListedRows['connections']) => string,
) {
  return { key, header, yields, value, text: value, widthMax: 40 };
}
