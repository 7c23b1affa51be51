import { asBackplaneError } from '../../foundation/errors.ts';
import type { Engine } from '../../ports/engine.ts';
import type { RequestOptions } from '../../runtime/reports.ts';
import type { Visitor } from '../../runtime/visitor.ts';

/** How far one node has delivered a document. */
export interface FeedPosition {
  readonly nodeId: string;
  readonly session: string;
  readonly followed: boolean;
  readonly seq: number;
  readonly followers: number;
  /** The error code when it did not answer; else null. */
  readonly failure: string | null;
}

const patienceMs = 2_000;

/** Asks every live node how far it has delivered a document to its peers. Follows nothing. */
export async function feedPositions(
  { engine, visitor }: { readonly engine: Pick<Engine, 'sessions'>; readonly visitor: Visitor },
  doc: string,
  options: RequestOptions = {},
): Promise<FeedPosition[]> {
  const live = (await engine.sessions.list()).filter(({ state }) => state === 'live');
  const timeoutMs = Math.min(options.timeoutMs ?? patienceMs, patienceMs);
  const ask = async (session: string, nodeId: string): Promise<FeedPosition> => {
    try {
      const answer = await visitor.control(session, 'doc.feed', { doc }, { ...options, timeoutMs });
      const { followed, seq, followers } = answer as Pick<
        FeedPosition,
        'followed' | 'seq' | 'followers'
      >;
      return { nodeId, session, followed, seq, followers, failure: null };
    } catch (thrown) {
      const failure = asBackplaneError(thrown).code;
      return { nodeId, session, followed: false, seq: 0, followers: 0, failure };
    }
  };
  return Promise.all(live.map(({ id, description }) => ask(id, description.nodeId)));
}
