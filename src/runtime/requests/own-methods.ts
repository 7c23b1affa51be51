import { BackplaneError } from '../../foundation/errors.ts';
import type { BackplaneNode } from '../node.ts';
import type { Methods } from './methods.ts';

/** What every node answers, so that `rpc` is of use before an application registered anything. */
export function registerOwnMethods(node: BackplaneNode, methods: Methods): void {
  const answer = (value: unknown) => Buffer.from(JSON.stringify(value));
  methods.register('ping', ({ doc }) => {
    const epoch = doc === null ? null : node.ownedEpoch(doc);
    return answer({ pong: true, nodeId: node.nodeId, session: node.session(), doc, epoch });
  });
  methods.register('methods', () => answer(methods.names()));
  methods.register('state', async ({ doc }) => {
    if (doc === null) throw new BackplaneError('REQUEST_INVALID', 'ask a document: doc:ID');
    const { state, seq } = await node.readState(doc);
    return answer({ doc, seq, state: state === null ? null : JSON.parse(state) });
  });
}
