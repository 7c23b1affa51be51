import { BackplaneError } from '../../foundation/errors.ts';
import { type Clock, sleep } from '../../ports/clock.ts';
import type { NameHolder, Registry } from '../../ports/registry.ts';
import type { SessionWatch } from '../sessions/session-watch.ts';
import { nameOfDaemon, readHolder, writeHolder } from './daemon-holder.ts';

export interface HoldParts {
  readonly registry: Registry;
  readonly watch: SessionWatch;
  readonly nodeId: string;
  readonly publicUrl: string | null;
  readonly clock: Clock;
  /** Whether that connection of a daemon is on this node. */
  isHere(way: string): boolean;
  /** Asks the holder's node, which lets go of a name that nobody stands behind. */
  ask(workspace: string, holder: NameHolder): void;
}

/** For the answer of a node that is asked whether it has the daemon. */
const askedMs = 250;

export interface DaemonClaim {
  readonly workspace: string;
  readonly session: string;
  readonly instance: string;
  readonly way: string;
  readonly take: boolean;
  /** A connection that has just come replaces an older one of the same daemon. */
  readonly isNew: boolean;
}

/**
 * Makes a connection the daemon of its workspace, in the broker, where all nodes agree. The same
 * instance replaces its own older connection; another one only what is dead, or when told to take.
 *
 * Throws RELAY_DAEMON_TAKEN, SESSION_LOST.
 */
export async function holdWorkspace(parts: HoldParts, claim: DaemonClaim): Promise<void> {
  const { registry, nodeId, publicUrl, isHere } = parts;
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
    const isOlder = claim.isNew && readHolder(previous)?.instance === instance;
    const isGhost = previous.session === session && !isHere(previous.token);
    if (!isOlder && !isGhost) await untilFree(parts, workspace, previous);
    answer = await registry.hold(name, isOlder || isGhost ? 'take' : 'refuse');
  }
  if (answer.status === 'conflict') throw taken(workspace, answer.previous);
  if (answer.status === 'dead') {
    throw new BackplaneError('SESSION_LOST', `the session ${session} has ended`);
  }
}

/** Its node may have been killed a moment ago, or the broker remember what was let go of. */
async function untilFree(
  { watch, ask, clock }: HoldParts,
  workspace: string,
  previous: NameHolder,
): Promise<void> {
  if (await watch.suspect(previous.session)) return;
  ask(workspace, previous);
  await sleep(clock, askedMs);
}

function taken(workspace: string, previous: NameHolder): BackplaneError {
  const nodeId = readHolder(previous)?.nodeId ?? null;
  const where = nodeId === null ? 'another node' : `node ${nodeId}`;
  const why = `the workspace "${workspace}" has a daemon, connected to ${where}`;
  return new BackplaneError('RELAY_DAEMON_TAKEN', why, { facts: { workspace, nodeId } });
}
