import type { DirectoryRow } from '../../operations/watch/directory-page.ts';
import { countText, durationText } from '../drawing/figures.ts';
import type { Tone } from '../drawing/theme.ts';
import { documentActions } from './node-actions.ts';
import { defineTable } from './view.ts';

/** As many as a page of the directory may cost. */
const rowsPerPage = 100;

/** All documents in the order of their names, page by page, and who owns each, be it nobody. */
export const leasesView = defineTable<DirectoryRow>({
  name: 'leases',
  aliases: ['lease', 'le', 'l', 'directory'],
  title: 'Documents and leases',
  columns: [
    {
      key: 'document',
      header: 'DOCUMENT',
      text: ({ doc }) => doc,
      value: ({ doc }) => doc,
      widthMax: 80,
      yields: 0,
    },
    {
      key: 'lease',
      header: 'LEASE',
      text: ({ state }) => state,
      tone: ({ state }) => toneOfLease(state),
      value: ({ state }) => state,
      yields: 0,
    },
    {
      key: 'owner',
      header: 'OWNER',
      text: ({ nodeId }) => nodeId ?? '-',
      value: ({ nodeId }) => nodeId,
      widthMax: 32,
      yields: 1,
    },
    {
      key: 'epoch',
      header: 'EPOCH',
      align: 'right',
      text: ({ epoch }) => countText(epoch),
      value: ({ epoch }) => epoch,
      yields: 2,
    },
    {
      key: 'seq',
      header: 'SEQ',
      align: 'right',
      text: ({ seq }) => countText(seq),
      value: ({ seq }) => seq,
      yields: 2,
    },
    {
      key: 'unsaved',
      header: 'UNSAVED',
      align: 'right',
      text: ({ seq, snapshotSeq }) => countText(Math.max(0, seq - snapshotSeq)),
      value: ({ seq, snapshotSeq }) => seq - snapshotSeq,
      yields: 3,
    },
    {
      key: 'expires',
      header: 'EXPIRES',
      align: 'right',
      text: ({ expiresInMs }) => durationText(expiresInMs),
      value: ({ expiresInMs }) => expiresInMs,
      yields: 4,
    },
    {
      key: 'session',
      header: 'SESSION',
      text: ({ session }) => session ?? '-',
      value: ({ session }) => session,
      yields: 5,
    },
  ],
  rows: ({ directory }) => directory?.rows ?? null,
  keyOf: ({ doc }) => doc,
  empty: 'no documents here',
  filtersElsewhere: true,
  note: ({ directory, isReplay }, { pages }) => {
    if (isReplay)
      return directory ? 'the first by name, as kept every 5s' : 'none were kept by then';
    if (directory?.failure) return `not read: ${directory.failure}`;
    const more = directory?.next ? ', ] for the next' : '';
    return `page ${pages.length + 1}${more}${pages.length > 0 ? ', [ for the one before' : ''}`;
  },
  nextPage: ({ directory }) => directory?.next ?? null,
  wish: (_, { filter, pages }) => ({
    directory: { from: pages.at(-1) ?? null, prefix: filter, limit: rowsPerPage },
  }),
  open: ({ doc }) => ({ view: 'document', subject: doc }),
  actions: ({ doc, nodeId, state }, { pulse }) =>
    documentActions(doc, state === 'free' ? null : nodeId, pulse),
});

export function toneOfLease(state: DirectoryRow['state']): Tone {
  switch (state) {
    case 'held':
      return 'good';
    case 'claimed':
    case 'handed':
      return 'warning';
    case 'orphaned':
      return 'bad';
    case 'free':
      return 'dim';
  }
}
