import { opIdOf } from '../../foundation/identifiers.ts';
import { isoTime } from '../../foundation/iso-time.ts';
import type { AwarenessChange, FollowedOp, OwnerChange } from '../../runtime/reports.ts';
import { type ShownPayload, showPayload } from './show-payload.ts';

/**
 * One line of a tail. What does not apply to a type is null.
 *
 * `op`: an accepted change. `awareness`: a peer's state, payload null when it is gone. `lease`:
 * the owner changed, payload `{change, session}`. `dropped`: the reader was too slow, so awareness
 * and lease lines may be missing here; ops never are.
 */
export interface TailLine extends ShownPayload {
  readonly type: 'op' | 'awareness' | 'lease' | 'dropped';
  readonly doc: string;
  readonly seq: number | null;
  readonly epoch: number | null;
  /** The node that published it; null when it was read from the log. */
  readonly nodeId: string | null;
  readonly peer: string | null;
  readonly opId: string | null;
  /** ISO time: of an op by its owner's clock, of the rest by this machine's. */
  readonly at: string | null;
  /** How it came here: `live` from its publisher over the bus, or out of the `log`. */
  readonly hop: 'live' | 'log';
}

export function opLine(op: FollowedOp): TailLine {
  return {
    type: 'op',
    doc: op.doc,
    seq: op.seq,
    epoch: op.epoch,
    nodeId: op.nodeId,
    peer: op.peer,
    opId: opIdOf(op.peer, op.counter),
    at: isoTime(op.at),
    ...showPayload(op.payload),
    hop: op.nodeId === null ? 'log' : 'live',
  };
}

export function awarenessLine(change: AwarenessChange, wallMs: number): TailLine {
  return {
    ...blank('awareness', change.doc, wallMs),
    peer: change.peer,
    ...showPayload(change.state),
  };
}

export function leaseLine(change: OwnerChange, wallMs: number): TailLine {
  return {
    ...blank('lease', change.doc, wallMs),
    epoch: change.epoch,
    nodeId: change.nodeId,
    payload: { change: change.change, session: change.session },
    encoding: 'json',
  };
}

export function droppedLine(doc: string, wallMs: number): TailLine {
  return blank('dropped', doc, wallMs);
}

function blank(type: TailLine['type'], doc: string, wallMs: number): TailLine {
  return {
    type,
    doc,
    seq: null,
    epoch: null,
    nodeId: null,
    peer: null,
    opId: null,
    at: isoTime(wallMs),
    payload: null,
    encoding: null,
    hop: 'live',
  };
}
