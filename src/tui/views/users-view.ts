import type { ListedRows } from '../../operations/watch/listing-page.ts';
import { countText } from '../drawing/figures.ts';
import { listingNote, listingRows, nextListingPage } from './listing-notes.ts';
import { defineTable } from './view.ts';

/** Who is online, in the order of names; enter shows their connections. */
export const usersView = defineTable<ListedRows['users']>({
  name: 'users',
  aliases: ['user', 'u', 'presence'],
  title: 'Users',
  columns: [
    {
      key: 'user',
      header: 'USER',
      text: ({ user }) => user,
      value: ({ user }) => user,
      widthMax: 60,
      yields: 0,
    },
    {
      key: 'connections',
      header: 'CONNECTIONS',
      align: 'right',
      text: ({ connections }) => countText(connections),
      value: ({ connections }) => connections,
      yields: 1,
    },
    {
      key: 'nodes',
      header: 'NODES',
      text: ({ nodes }) => nodes.join(' '),
      value: ({ nodes }) => nodes.join(' '),
      widthMax: 60,
      yields: 2,
    },
    {
      key: 'hubs',
      header: 'HUBS',
      text: ({ hubs }) => hubs.join(' '),
      value: ({ hubs }) => hubs.join(' '),
      widthMax: 40,
      yields: 3,
    },
  ],
  rows: ({ listing }) => (listing?.kind === 'users' ? listing.rows : null),
  keyOf: ({ user }) => user,
  empty: 'nobody is online',
  note: (picture, state) => listingNote(picture, state, 'user'),
  nextPage: nextListingPage('users'),
  wish: (_, { pages, filter }) => ({
    listing: {
      kind: 'users',
      selector: {},
      filter,
      from: pages.at(-1) ?? null,
      limit: listingRows,
    },
  }),
  open: ({ user }) => ({ view: 'connections', subject: user }),
});
