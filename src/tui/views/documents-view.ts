import type { DocumentPulse } from '../../operations/watch/pulse-report.ts';
import { agoText, countText, plural, rateText } from '../drawing/figures.ts';
import { documentActions } from './node-actions.ts';
import { defineTable } from './view.ts';

/** More rows than anybody reads, and few enough for a message. */
const documentsShown = 120;

/** The documents somebody owns, those used last first: where the load is, and what is stuck. */
export const documentsView = defineTable<DocumentPulse>({
  name: 'documents',
  aliases: ['docs', 'doc', 'd'],
  title: 'Documents in use',
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
      key: 'owner',
      header: 'OWNER',
      text: ({ nodeId }) => nodeId,
      value: ({ nodeId }) => nodeId,
      widthMax: 32,
      yields: 0,
    },
    {
      key: 'ops',
      header: 'OPS/S',
      align: 'right',
      text: ({ opsPerSecond }) => rateText(opsPerSecond),
      value: ({ opsPerSecond }) => opsPerSecond,
      yields: 1,
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
      key: 'waiting',
      header: 'WAITING',
      align: 'right',
      text: ({ waiting }) => countText(waiting),
      tone: ({ waiting }) => (waiting > 0 ? 'warning' : 'plain'),
      value: ({ waiting }) => waiting,
      yields: 3,
    },
    {
      key: 'epoch',
      header: 'EPOCH',
      align: 'right',
      text: ({ epoch }) => countText(epoch),
      value: ({ epoch }) => epoch,
      yields: 4,
    },
    {
      key: 'used',
      header: 'USED',
      align: 'right',
      text: ({ usedAgoMs }) => agoText(usedAgoMs),
      value: ({ usedAgoMs }) => usedAgoMs,
      yields: 3,
    },
  ],
  rows: ({ pulse }) => pulse?.documents?.rows ?? null,
  keyOf: ({ doc }) => doc,
  empty: 'no document is in use',
  sort: { column: 'ops', isDescending: true },
  note: ({ pulse }) => {
    const { matching = 0, rows = [] } = pulse?.documents ?? {};
    return matching > rows.length
      ? `${plural(matching, 'document')} owned, the ${rows.length} used last`
      : `${plural(matching, 'document')} owned`;
  },
  // An inverted filter is for this screen alone: the nodes only look for what is there.
  wish: (_, { filter }) => ({
    documents: { contains: filter.startsWith('!') ? '' : filter, limit: documentsShown },
  }),
  open: ({ doc }) => ({ view: 'document', subject: doc }),
  actions: ({ doc, nodeId }, { pulse }) => documentActions(doc, nodeId, pulse),
});
