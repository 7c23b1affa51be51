import { limits } from '../foundation/limits.ts';
import type { StoredOp } from '../ports/store.ts';
import type { OpHeader, OpsFrame } from './frames.ts';

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
