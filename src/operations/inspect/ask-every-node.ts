import { BackplaneError, isBackplaneError } from '../../foundation/errors.ts';
import type { ControlName } from '../../runtime/controls.ts';
import type { RequestOptions } from '../../runtime/reports.ts';
import type { ClusterDoor } from './ask-any-node.ts';

/** What each live node answered and, by name, who did not. */
export interface EveryAnswer {
  readonly answers: readonly { readonly nodeId: string; readonly answer: unknown }[];
  readonly silent: readonly string[];
}

/** Not an answer: gone, too slow, or of a version that does not know the question. */
const silence = [
  ...(['NO_RESPONDER', 'NODE_DEAD', 'RESPONDER_GONE', 'DEADLINE_EXCEEDED'] as const),
  'METHOD_UNKNOWN',
] as const;

/** Asks every live node the same question at once. Throws NO_NODES. */
export async function askEveryNode(
  door: ClusterDoor,
  control: ControlName,
  params: unknown,
  options: RequestOptions = {},
): Promise<EveryAnswer> {
  const live = (await door.sessions.list()).filter(({ state }) => state === 'live');
  if (live.length === 0) {
    throw new BackplaneError('NO_NODES', 'no node of this cluster is alive');
  }
  const outcomes = await Promise.all(
    live.map(async ({ id, description: { nodeId } }) => {
      try {
        return { nodeId, answer: await door.visitor.control(id, control, params, options) };
      } catch (error) {
        if (!isBackplaneError(error, ...silence)) throw error;
        return nodeId;
      }
    }),
  );
  return {
    answers: outcomes.filter((outcome) => typeof outcome !== 'string'),
    silent: outcomes.filter((outcome) => typeof outcome === 'string').sort(),
  };
}

/** Why a question to all was not fully answered; null when it was. */
export function silenceFailure(silent: readonly string[]): BackplaneError | null {
  if (silent.length === 0) return null;
  return new BackplaneError('PARTIAL', `no answer from ${silent.join(', ')}`, {
    facts: { silent },
  });
}
