import { BackplaneError } from '../../foundation/errors.ts';
import type { NameHolder, Registry } from '../../ports/registry.ts';
import type { SessionWatch } from '../sessions/session-watch.ts';
import { nameOfDaemon, readHolder, writeHolder } from './daemon-holder.ts';

export interface HoldParts {
  readonly registry: Registry;
  readonly watch: SessionWatch;
  readonly nodeId: string;
  readonly publicUrl: string | null;
}

export interface DaemonClaim {
  readonly workspace: string;
  readonly session: string;
  readonly instance: string;
  readonly way: string;
  readonly take: boolean;
}

/**
 * Makes a connection the daemon of its workspace, in the broker, where all nodes agree. The same
 * instance replaces its own older connection; another one only what is dead, or when told to take.
 *
 * Throws RELAY_DAEMON_TAKEN, SESSION_LOST.
 */
export async function holdWorkspace(parts: HoldParts, claim: DaemonClaim): Promise<void> {
  const { registry, watch, nodeId, publicUrl } = parts;
  const { workspace, session, instance, way } = claim;
  const name = {
    name: nameOfDaemon(workspace),
    session,
    token: way,
    holder: writeHolder({ nodeId, instance, way, publicUrl }),
  };
  let answer = await registry.hold(name, claim.take ? 'take' : 'refuse');
  if (answer.status === 'conflict') {
    const { previous } = answer;
    const isOurs = readHolder(previous)?.instance === instance;
    // Its node may have been killed a moment ago, and its session not have expired yet.
    const isFree = !isOurs && (await watch.suspect(previous.session));
    if (isOurs || isFree) answer = await registry.hold(name, isOurs ? 'take' : 'refuse');
  }
  if (answer.status === 'conflict') throw taken(workspace, answer.previous);
  if (answer.status === 'dead') {
    throw new BackplaneError('SESSION_LOST', `the session ${session} has ended`);
  }
}

function taken(workspace: string, previous: NameHolder): BackplaneError {
  const nodeId = readHolder(previous)?.nodeId ?? null;
  const where = nodeId === null ? 'another node' : `node ${nodeId}`;
  const why = `the workspace "${workspace}" has a daemon, connected to ${where}`;
  return new BackplaneError('RELAY_DAEMON_TAKEN', why, { facts: { workspace, nodeId } });
}
