import { BackplaneError, isBackplaneError } from '../../foundation/errors.ts';
import type { ControlName } from '../../runtime/controls.ts';
import type { RequestOptions } from '../../runtime/reports.ts';
import { type ClusterDoor, rankNodes } from '../inspect/ask-any-node.ts';

const nodesAskedMax = 3;

/**
 * Has a node do something that any of them can do. Another is asked only when it is certain that
 * the first did nothing. Throws NO_NODES.
 */
export async function askOneNode(
  door: ClusterDoor,
  control: ControlName,
  params: unknown,
  options: RequestOptions = {},
): Promise<unknown> {
  let failure: BackplaneError | null = null;
  for (const node of rankNodes(await door.sessions.list()).slice(0, nodesAskedMax)) {
    try {
      return await door.visitor.control(node.id, control, params, options);
    } catch (error) {
      if (!isBackplaneError(error, 'NO_RESPONDER', 'DRAINING')) throw error;
      failure = error;
    }
  }
  throw failure ?? new BackplaneError('NO_NODES', 'no node of this cluster is alive');
}
