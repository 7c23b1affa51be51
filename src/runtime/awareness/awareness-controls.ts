import { checkDocumentName } from '../../foundation/identifiers.ts';
import { limits } from '../../foundation/limits.ts';
import type { Awareness } from './awareness.ts';

export type AwarenessControl = 'awareness.list';

type Params = Readonly<Record<string, unknown>>;

const rowsBytesMax = limits.frameBytesMax - 262_144;

/** What operators ask of this node's awareness (`runtime/controls.ts`). */
export function awarenessControls(
  awareness: () => Awareness,
): Record<AwarenessControl, (params: Params) => Promise<unknown>> {
  return {
    'awareness.list': async ({ doc }) => {
      const name = doc === null ? null : checkDocumentName(doc);
      const rows: unknown[] = [];
      let bytes = 0;
      let unlisted = 0;
      for (const { state, ...peer } of awareness().ownPeers(name)) {
        const text = Buffer.from(state).toString('base64');
        bytes += text.length + peer.doc.length * 6 + 200;
        if (bytes > rowsBytesMax) unlisted += 1;
        else rows.push({ ...peer, state: text });
      }
      return { rows, unlisted };
    },
  };
}
