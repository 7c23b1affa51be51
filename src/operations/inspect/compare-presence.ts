import type { Registry } from '../../ports/registry.ts';
import { type Connection, readRecordText } from '../../runtime/presence/connection.ts';
import { digestOf, type HubState } from '../../runtime/presence/presence-state.ts';
import type { RequestOptions } from '../../runtime/reports.ts';
import type { ClusterDoor } from './ask-any-node.ts';
import { askEveryNode } from './ask-every-node.ts';

/** What one of them, a node or the broker, believes of one node's connections in one hub. */
export interface PresenceView {
  readonly hub: string;
  /** Who holds the connections; null when no node alive says that it does. */
  readonly nodeId: string | null;
  readonly session: string;
  /** A node's id, or `broker`. */
  readonly seenBy: string;
  readonly connections: number;
  /** How many there are by the one who holds them. */
  readonly held: number;
  readonly agrees: boolean;
  /** Since when it last was what the broker has; null for the broker. */
  readonly agreedAgoMs: number | null;
}

export interface PresenceComparison {
  readonly views: readonly PresenceView[];
  readonly silent: readonly string[];
}

interface Held {
  readonly nodeId: string;
  readonly connections: number;
  readonly digest: string;
}

/** Asks every node and the broker about these hubs. Throws NO_NODES. */
export async function comparePresence(
  door: ClusterDoor & { readonly registry: Registry },
  hubs: readonly string[],
  options: RequestOptions = {},
): Promise<PresenceComparison> {
  const views: PresenceView[] = [];
  const silent = new Set<string>();
  for (const hub of hubs) {
    const asked = await askEveryNode(door, 'presence.state', { hub }, options);
    for (const nodeId of asked.silent) silent.add(nodeId);
    const states = asked.answers.map(({ nodeId, answer }) => [nodeId, answer as HubState] as const);
    const held = new Map<string, Held>();
    for (const [nodeId, { own }] of states) if (own) held.set(own.session, { nodeId, ...own });
    views.push(...(await brokerViews(door.registry, hub, held)));
    for (const [nodeId, state] of states) views.push(...nodeViews(hub, nodeId, state, held));
  }
  return { views, silent: [...silent].sort() };
}

/** Every hub there is, in the order of names. */
export async function listHubs(registry: Registry): Promise<string[]> {
  const hubs = new Set<string>();
  let from: string | null = null;
  do {
    const page = await registry.hubs(from);
    for (const hub of page.hubs) hubs.add(hub);
    from = page.next;
  } while (from !== null);
  return [...hubs].sort();
}

async function brokerViews(
  registry: Registry,
  hub: string,
  held: ReadonlyMap<string, Held>,
): Promise<PresenceView[]> {
  const versions = await registry.versions(hub);
  const sessions = new Set([...versions.keys(), ...nonEmpty(held)]);
  const views = [...sessions].map(async (session) => {
    const found = await readConnections(registry, session, hub);
    const believed = { session, connections: found.length, digest: digestOf(found) };
    return viewOf(hub, 'broker', believed, held, null);
  });
  return Promise.all(views);
}

function nodeViews(
  hub: string,
  seenBy: string,
  { others, follows, own }: HubState,
  held: ReadonlyMap<string, Held>,
): PresenceView[] {
  if (!follows) return [];
  const views = others.map((one) => viewOf(hub, seenBy, one, held, one.agreedAgoMs));
  const known = new Set([...others.map(({ session }) => session), own?.session ?? '']);
  for (const session of nonEmpty(held)) {
    if (known.has(session)) continue;
    const nothing = { session, connections: 0, digest: digestOf([]) };
    views.push(viewOf(hub, seenBy, nothing, held, null));
  }
  return views;
}

function viewOf(
  hub: string,
  seenBy: string,
  believed: { readonly session: string; readonly connections: number; readonly digest: string },
  held: ReadonlyMap<string, Held>,
  agreedAgoMs: number | null,
): PresenceView {
  const { session, connections, digest } = believed;
  const truth = held.get(session);
  return {
    hub,
    nodeId: truth?.nodeId ?? null,
    session,
    seenBy,
    connections,
    held: truth?.connections ?? 0,
    agrees: truth?.digest === digest,
    agreedAgoMs: agreedAgoMs === null ? null : Math.round(agreedAgoMs),
  };
}

function nonEmpty(held: ReadonlyMap<string, Held>): string[] {
  return [...held].filter(([, { connections }]) => connections > 0).map(([session]) => session);
}

async function readConnections(
  registry: Registry,
  session: string,
  hub: string,
): Promise<Connection[]> {
  const found = new Map<string, Connection>();
  let from: string | null = null;
  do {
    const page = await registry.read(session, hub, from);
    for (const { id, record } of page.records) {
      const connection = readRecordText({ id, hub, session }, record);
      if (connection) found.set(id, connection);
    }
    from = page.next;
  } while (from !== null);
  return [...found.values()];
}
