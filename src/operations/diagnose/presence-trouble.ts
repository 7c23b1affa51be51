import { presenceTimes } from '../../foundation/limits.ts';
import type { Engine } from '../../ports/engine.ts';
import type { HubState } from '../../runtime/presence/presence-state.ts';
import type { RequestOptions } from '../../runtime/reports.ts';
import type { Visitor } from '../../runtime/visitor.ts';
import { askEveryNode } from '../inspect/ask-every-node.ts';
import { listHubs } from '../inspect/compare-presence.ts';
import type { Sample } from './evidence.ts';

/**
 * `left-behind`: registered for a session that is not alive. `unregistered`: its node has told less
 * to the broker than it holds. `behind`: a node has not heard what the broker had a while ago.
 * `lingering`: a node still sees what nobody has registered any more.
 */
export type PresenceTroubleKind = 'left-behind' | 'unregistered' | 'behind' | 'lingering';

/** Somebody is wrong about the connections of one session in one hub, and stays so. */
export interface PresenceTrouble {
  readonly kind: PresenceTroubleKind;
  readonly hub: string;
  /** Who holds the connections, or held them. */
  readonly session: string;
  readonly nodeId: string | null;
  /** Who is wrong: a node's id, or `broker`. */
  readonly seenBy: string;
}

export interface PresenceTroubleParts {
  readonly engine: Pick<Engine, 'registry' | 'sessions'>;
  readonly visitor: Visitor;
  /** Resolves when what was on its way has arrived, or will never. */
  settle(): Promise<void>;
}

const hubsMax = 32;
/** A node compares its replicas by then, at least once, and has corrected them. */
export const presenceSettleMs = presenceTimes.compareMs * 2.5;

/**
 * Compares what is registered with what each node holds and believes: by versions, so it costs a
 * message for each node and hub, however many connections there are. Whatever looks wrong is looked
 * at again after `settle`. Null `hubs` are all, up to a bound. Throws NO_NODES.
 */
export async function findPresenceTrouble(
  parts: PresenceTroubleParts,
  hubs: readonly string[] | null,
  options: RequestOptions = {},
): Promise<Sample<PresenceTrouble>> {
  const known = hubs ?? (await listHubs(parts.engine.registry));
  const looked = known.slice(0, hubsMax);
  const about = { counted: looked.length, truncated: looked.length < known.length };
  const before = await lookAt(parts, looked, options);
  if (before.flatMap((look) => troublesOf(look, look)).length === 0) return { rows: [], ...about };
  await parts.settle();
  const now = await lookAt(parts, looked, options);
  const rows = now.flatMap((look, at) => troublesOf(before[at] ?? look, look));
  return { rows, ...about };
}

interface Look {
  readonly hub: string;
  /** As the broker had it before any node was asked. */
  readonly registered: ReadonlyMap<string, number>;
  readonly live: ReadonlyMap<string, string>;
  readonly states: readonly { readonly nodeId: string; readonly state: HubState }[];
}

async function lookAt(
  { engine, visitor }: PresenceTroubleParts,
  hubs: readonly string[],
  options: RequestOptions,
): Promise<Look[]> {
  const looks: Look[] = [];
  for (const hub of hubs) {
    const registered = await engine.registry.versions(hub);
    const sessions = (await engine.sessions.list()).filter(({ state }) => state === 'live');
    const live = new Map(sessions.map(({ id, description }) => [id, description.nodeId]));
    const params = { hub, digests: false };
    const { answers } = await askEveryNode(
      { ...engine, visitor },
      'presence.state',
      params,
      options,
    );
    const states = answers.map(({ nodeId, answer }) => ({ nodeId, state: answer as HubState }));
    looks.push({ hub, registered, live, states });
  }
  return looks;
}

/** What is wrong in both looks. A version only grows, so who is behind the earlier look is late. */
function troublesOf(before: Look, now: Look): PresenceTrouble[] {
  const { hub } = now;
  const troubles: PresenceTrouble[] = [];
  const tell = (kind: PresenceTroubleKind, session: string, seenBy: string) => {
    const nodeId = now.live.get(session) ?? before.live.get(session) ?? null;
    troubles.push({ kind, hub, session, nodeId, seenBy });
  };
  for (const session of now.registered.keys()) {
    const isLeft = !now.live.has(session) && !before.live.has(session);
    if (isLeft && before.registered.has(session)) tell('left-behind', session, 'broker');
  }
  for (const { nodeId, state } of now.states) {
    const earlier = before.states.find((each) => each.nodeId === nodeId)?.state;
    if (isUnregistered(earlier, state, now))
      tell('unregistered', state.own?.session ?? '', 'broker');
    if (!state.follows || !earlier?.follows) continue;
    for (const { kind, session } of wrongOf(before, now, state, earlier))
      tell(kind, session, nodeId);
  }
  return troubles;
}

function isUnregistered(earlier: HubState | undefined, { own }: HubState, now: Look): boolean {
  const was = earlier?.own;
  if (!own || was?.session !== own.session || own.connections === 0) return false;
  return (now.registered.get(own.session) ?? 0) < (was.version ?? 0);
}

function* wrongOf(before: Look, now: Look, { own, others }: HubState, earlier: HubState) {
  const believed = new Map(others.map(({ session, version }) => [session, version ?? 0]));
  for (const [session, version] of before.registered) {
    if (session === own?.session || !now.registered.has(session) || !now.live.has(session))
      continue;
    if ((believed.get(session) ?? 0) < version) yield { kind: 'behind' as const, session };
  }
  for (const session of believed.keys()) {
    const isGone = !now.registered.has(session) && !before.registered.has(session);
    const was = earlier.others.some((each) => each.session === session);
    if (isGone && was) yield { kind: 'lingering' as const, session };
  }
}
