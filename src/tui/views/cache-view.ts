import type { ListedRows } from '../../operations/watch/listing-page.ts';
import { agoText, countText } from '../drawing/figures.ts';
import type { Tone } from '../drawing/theme.ts';
import { listingNote, listingRows, nextListingPage } from './listing-notes.ts';
import { type Column, defineTable } from './view.ts';

/** Every cache region of every node: how useful it is, and whether it can prove that it is current. */
export const cacheView = defineTable<ListedRows['caches']>({
  name: 'cache',
  aliases: ['caches', 'ca', 'regions'],
  title: 'Caches',
  columns: [
    {
      key: 'region',
      header: 'REGION',
      text: ({ region }) => region,
      value: ({ region }) => region,
      widthMax: 40,
      yields: 0,
    },
    {
      key: 'node',
      header: 'NODE',
      text: ({ nodeId }) => nodeId,
      value: ({ nodeId }) => nodeId,
      widthMax: 32,
      yields: 0,
    },
    {
      key: 'state',
      header: 'STATE',
      text: ({ state, whenCut }) => (state === 'cut' ? `cut (${whenCut})` : state),
      tone: toneOfRegion,
      value: ({ state }) => state,
      yields: 0,
    },
    {
      key: 'rate',
      header: 'HIT RATE',
      align: 'right',
      text: ({ hitRate }) => (hitRate === null ? '-' : `${Math.round(hitRate * 1_000) / 10} %`),
      value: ({ hitRate }) => hitRate,
      yields: 1,
    },
    count('hits', 'HITS', 3, ({ hits }) => hits),
    count('misses', 'MISSES', 3, ({ misses }) => misses),
    count('entries', 'VALUES', 2, ({ entries }) => entries),
    count('heard', 'EVICTIONS', 2, ({ evictionsHeard }) => evictionsHeard),
    { ...count('gaps', 'GAPS', 2, ({ gaps }) => gaps), tone: ({ gaps }) => warnAbove(gaps) },
    count('flushes', 'FLUSHES', 4, ({ flushes }) => flushes),
    {
      ...count('doubt', 'IN DOUBT', 4, ({ inDoubt }) => inDoubt),
      tone: ({ inDoubt }) => warnAbove(inDoubt),
    },
    {
      key: 'confirmed',
      header: 'PROVED',
      align: 'right',
      text: ({ confirmedAgoMs }) => agoText(confirmedAgoMs),
      value: ({ confirmedAgoMs }) => confirmedAgoMs,
      yields: 3,
    },
  ],
  rows: ({ listing }) => (listing?.kind === 'caches' ? listing.rows : null),
  keyOf: ({ region, nodeId }) => JSON.stringify([region, nodeId]),
  empty: 'no node has a cache',
  note: (picture, state) => listingNote(picture, state, 'region'),
  nextPage: nextListingPage('caches'),
  wish: (_, { pages, filter }) => ({
    listing: {
      kind: 'caches',
      selector: {},
      filter,
      from: pages.at(-1) ?? null,
      limit: listingRows,
    },
  }),
});

function toneOfRegion({ state, whenCut }: ListedRows['caches']): Tone {
  switch (state) {
    case 'current':
      return 'good';
    case 'joining':
      return 'accent';
    case 'cut':
      return whenCut === 'bypass' ? 'warning' : 'bad';
  }
}

function warnAbove(count: number): Tone {
  return count > 0 ? 'warning' : 'plain';
}

function count(
  key: string,
  header: string,
  yields: number,
  value: (region: ListedRows['caches']) => number,
): Column<ListedRows['caches']> {
  return { key, header, yields, align: 'right', value, text: (row) => countText(value(row)) };
}
