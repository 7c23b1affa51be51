import type { TailLine } from '../../operations/inspect/tail-line.ts';
import type { DocumentPicture } from '../../operations/watch/document-watch.ts';
import { clockText, countText, durationText, plural } from '../drawing/figures.ts';
import { line, type Piece, piece, type ScreenLine } from '../drawing/screen-line.ts';
import type { Picture } from '../state/picture.ts';
import { toneOfLease } from './leases-view.ts';
import { documentActions } from './node-actions.ts';
import { toneOfState } from './nodes-view.ts';
import type { PageDrawing, PageView } from './view.ts';

const panes = ['tail', 'peers', 'owners'] as const;
const payloadShownMax = 2_000;

/** One document: who owns it, what comes in, who takes part, who owned it before. */
export const documentView: PageView = {
  kind: 'page',
  name: 'document',
  aliases: [],
  title: 'Document',
  isInner: true,
  panes,
  rowsIn: ({ document }, pane) => (document ? rowsOf(document, pane).length : 0),
  wish: ({ subject }) => ({ doc: subject }),
  lines: documentLines,
  actions: ({ document, pulse }) =>
    document ? documentActions(document.doc, document.lease?.nodeId ?? null, pulse) : [],
};

function documentLines(
  { document, isReplay }: Picture,
  drawing: PageDrawing,
): readonly ScreenLine[] {
  if (isReplay) return [line(piece('a recording does not keep single documents', 'dim'))];
  if (document === null) return [line(piece('reading the document', 'dim'))];
  const head = headLines(document);
  const room = Math.max(0, drawing.size.rows - head.length - 1);
  return [...head, paneLine(document, drawing), ...paneRows(document, drawing, room)];
}

function headLines({ doc, seq, lease, failure }: DocumentPicture): ScreenLine[] {
  const facts: Piece[] = lease
    ? [
        piece(lease.state, toneOfLease(lease.state)),
        piece(` by ${lease.nodeId ?? 'a session nobody remembers'}`),
        piece(lease.ownerState ? ` (${lease.ownerState})` : '', toneOf(lease.ownerState)),
        piece(`  epoch ${lease.epoch}  expires in ${durationText(lease.expiresInMs)}`, 'dim'),
      ]
    : [piece('free', 'dim'), piece(' nobody owns it; the next request makes a node its owner')];
  return [
    line(piece(doc, 'bold'), piece(`  seq ${countText(seq)}`)),
    { pieces: facts },
    ...(failure === null ? [] : [line(piece(`the tail has ended: ${failure}`, 'bad'))]),
  ];
}

function paneLine(document: DocumentPicture, { state }: PageDrawing): ScreenLine {
  const counts = [document.lines.length, document.peers.length, document.owners.length];
  const pieces = panes.map((pane, at) => {
    const text = `${pane} ${counts[at]}`;
    return at === state.pane ? piece(`[${text}] `, 'title') : piece(` ${text}  `, 'dim');
  });
  return { pieces };
}

function paneRows(
  document: DocumentPicture,
  { state }: PageDrawing,
  room: number,
): readonly ScreenLine[] {
  const rows = rowsOf(document, state.pane);
  if (rows.length === 0) return [line(piece('nothing yet', 'dim'))];
  // The tail shows its end, and is scrolled away from there; the rest begins at the top.
  if (state.pane === 0) {
    const end = Math.max(Math.min(room, rows.length), rows.length - state.top);
    return rows.slice(Math.max(0, end - room), end);
  }
  const start = Math.max(0, Math.min(state.top, rows.length - room));
  return rows.slice(start, start + room);
}

function rowsOf(document: DocumentPicture, pane: number): ScreenLine[] {
  switch (panes[pane]) {
    case 'peers':
      return document.peers
        .toReversed()
        .map((peer) =>
          line(
            piece(peer.peer.padEnd(24), peer.isAware ? 'good' : 'dim'),
            `  ${plural(peer.ops, 'op')}`.padEnd(12),
            piece(`last ${clockText(peer.lastAt)}`.padEnd(16), 'dim'),
            peer.isAware ? piece(payloadText(peer.awareness), 'accent') : piece('not aware', 'dim'),
          ),
        );
    case 'owners':
      return document.owners.map(({ epoch, nodeId, fromSeq, since }) =>
        line(
          `epoch ${epoch}`.padEnd(12),
          piece((nodeId ?? 'not kept in the log').padEnd(24), nodeId === null ? 'dim' : 'plain'),
          piece(`  since ${clockText(since)}`, 'dim'),
          piece(fromSeq === null ? '  no op yet' : `  from seq ${countText(fromSeq)}`, 'dim'),
        ),
      );
    default:
      return document.lines.map(tailRow);
  }
}

function tailRow(tail: TailLine): ScreenLine {
  const time = piece(`${clockText(tail.at)} `, 'dim');
  switch (tail.type) {
    case 'op':
      return line(
        time,
        piece(`#${tail.seq} `, 'bold'),
        piece(`${tail.peer ?? '-'} `, 'dim'),
        payloadText(tail.payload),
      );
    case 'awareness':
      return line(
        time,
        piece('aware ', 'accent'),
        piece(`${tail.peer ?? '-'} `, 'dim'),
        tail.encoding === null ? piece('is gone', 'dim') : payloadText(tail.payload),
      );
    case 'lease':
      return line(time, piece(leaseText(tail), 'warning'));
    case 'dropped':
      return line(time, piece('some awareness and lease changes were missed', 'warning'));
  }
}

function leaseText({ payload, nodeId, epoch }: TailLine): string {
  const { change } = (payload ?? {}) as { change?: unknown };
  return change === 'released'
    ? `${nodeId ?? '-'} has released it at epoch ${epoch}`
    : `${nodeId ?? '-'} owns it from epoch ${epoch}`;
}

function payloadText(payload: unknown): string {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload ?? null);
  return text.slice(0, payloadShownMax);
}

function toneOf(state: Parameters<typeof toneOfState>[0] | null): Piece['tone'] {
  return state === null ? 'dim' : toneOfState(state);
}
