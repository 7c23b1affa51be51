import { limits } from '../foundation/limits.ts';
import type { StoredOp } from '../ports/store.ts';
import type { AwarenessFrame, AwarenessHeader, OpHeader, OpsFrame } from './frames.ts';

/** Appended ops as frames for the document's channel, none above the limit of a frame. */
export function* opsFrames(
  doc: string,
  nodeId: string,
  ops: readonly StoredOp[],
): Generator<OpsFrame> {
  let headers: OpHeader[] = [];
  let payloads: Uint8Array[] = [];
  let bytes = 0;
  for (const { payload, seq, epoch, peer, counter, at, chain } of ops) {
    const size = payload.length + 256;
    if (headers.length > 0 && bytes + size > limits.frameBytesMax / 2) {
      yield { kind: 'ops', doc, nodeId, ops: headers, payload: Buffer.concat(payloads) };
      headers = [];
      payloads = [];
      bytes = 0;
    }
    headers.push({ seq, epoch, peer, counter, at, chain, length: payload.length });
    payloads.push(payload);
    bytes += size;
  }
  const [only] = payloads;
  const payload = payloads.length === 1 && only ? only : Buffer.concat(payloads);
  yield { kind: 'ops', doc, nodeId, ops: headers, payload };
}

/** Peers' states as frames for the document's channel, none above the limit of a frame. */
export function* awarenessFrames(
  from: { readonly doc: string; readonly nodeId: string; readonly session: string },
  states: Iterable<{
    readonly peer: string;
    readonly clock: number;
    readonly state: Uint8Array | null;
  }>,
): Generator<AwarenessFrame> {
  let changes: AwarenessHeader[] = [];
  let payloads: Uint8Array[] = [];
  let bytes = 0;
  const frame = () => {
    return { kind: 'awareness', ...from, changes, payload: Buffer.concat(payloads) } as const;
  };
  for (const { peer, clock, state } of states) {
    const size = (state?.length ?? 0) + 256;
    if (changes.length > 0 && bytes + size > limits.frameBytesMax / 2) {
      yield frame();
      changes = [];
      payloads = [];
      bytes = 0;
    }
    changes.push({ peer, clock, length: state?.length ?? null });
    if (state) payloads.push(state);
    bytes += size;
  }
  if (changes.length > 0) yield frame();
}
