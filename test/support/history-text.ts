/** An event to be: `ev` and its fields; `t` is the place in the list times 10 when it is left out. */
export type Happening = { readonly ev: string; readonly t?: number } & Readonly<
  Record<string, unknown>
>;

/** A whole history, as it stands in a file. */
export function historyText(happenings: readonly Happening[], unit = 'ms'): string {
  let last = 0;
  const lines = happenings.map((happening) => {
    last = happening.t ?? last + 10;
    return JSON.stringify({ t: last, ...happening });
  });
  const end = { t: last, ev: 'end', events: happenings.length };
  return [JSON.stringify({ v: 1, kind: 'history', unit }), ...lines, JSON.stringify(end), ''].join(
    '\n',
  );
}

/** Events of one document `d`, as short as they can be written. */
export const happened = {
  invoke: (opId: string, more = {}) => ({ ev: 'op.invoke', doc: 'd', opId, ...more }),
  ok: (opId: string, seq: number, more = {}) => ({ ev: 'op.ok', doc: 'd', opId, seq, ...more }),
  refused: (opId: string, more = {}) => ({
    ...{ ev: 'op.fail', doc: 'd', opId, code: 'OVERLOADED', certainty: 'definite' },
    ...more,
  }),
  unknown: (opId: string, more = {}) => ({
    ...{ ev: 'op.fail', doc: 'd', opId, code: 'DEADLINE_EXCEEDED', certainty: 'indefinite' },
    ...more,
  }),
  deliver: (subscriber: string, seq: number, opId: string, more = {}) => ({
    ...{ ev: 'deliver', doc: 'd', subscriber, seq, opId },
    ...more,
  }),
  subscribe: (subscriber: string, after = 0) => ({ ev: 'subscribe', doc: 'd', subscriber, after }),
  fence: (session: string, epoch: number, outcome = 'ok') => ({
    ...{ ev: 'store.fence', doc: 'd', session, epoch, outcome },
  }),
  append: (session: string, epoch: number, seq: number, opIds: string[], outcome = 'ok') => ({
    ...{ ev: 'store.append', doc: 'd', session, epoch, seq, opIds, outcome },
  }),
  unseen: { ev: 'store.unseen' },
  logged: (seq: number, opId: string, epoch = 1) => ({
    ...{ ev: 'final.op', doc: 'd', seq, epoch, opId },
  }),
  head: (seq: number, more = {}) => ({ ev: 'final.head', doc: 'd', seq, ...more }),
};
