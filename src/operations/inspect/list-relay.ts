import { BackplaneError, isBackplaneError } from '../../foundation/errors.ts';
import type { NameHolder, NamePage, Registry } from '../../ports/registry.ts';
import { nameOfDaemon, readHolder, workspaceOfName } from '../../runtime/relay/daemon-holder.ts';
import type { RelayPage, RelayView } from '../../runtime/relay/relay-view.ts';
import type { RequestOptions } from '../../runtime/reports.ts';
import type { ClusterDoor } from './ask-any-node.ts';
import { compareValues } from './row-filter.ts';

/** One workspace, over all nodes. */
export interface RelayReport {
  readonly workspace: string;
  /** The node its daemon is connected to; null when it has none. */
  readonly nodeId: string | null;
  readonly session: string | null;
  readonly publicUrl: string | null;
  readonly browsers: number;
  /** The nodes its browsers are connected to. */
  readonly browserNodes: readonly string[];
  /** Bytes on their way between its connections. */
  readonly queuedBytes: number;
  /** Frames clients dropped because they were told to. */
  readonly dropped: number;
  /** Browsers sent to the daemon's node. */
  readonly redirects: number;
}

export interface RelayListing {
  readonly rows: readonly RelayReport[];
  readonly silent: readonly string[];
}

export interface RelaySources extends ClusterDoor {
  readonly registry: Registry;
}

/**
 * Every workspace that some node knows or that has a daemon, by name; with a name, that one.
 * Throws NO_NODES, WORKSPACE_UNKNOWN.
 */
export async function listRelay(
  sources: RelaySources,
  workspace: string | null,
  options: RequestOptions = {},
): Promise<RelayListing> {
  const rows = new Map<string, RelayReport>();
  await addHolders(rows, sources.registry, workspace);
  const live = (await sources.sessions.list()).filter(({ state }) => state === 'live');
  if (live.length === 0) throw new BackplaneError('NO_NODES', 'no node of this cluster is alive');
  const silent: string[] = [];
  await Promise.all(
    live.map(async ({ id, description: { nodeId } }) => {
      try {
        for await (const view of viewsOf(sources, id, workspace, options)) add(rows, nodeId, view);
      } catch (error) {
        if (!isBackplaneError(error, ...silence)) throw error;
        silent.push(nodeId);
      }
    }),
  );
  if (workspace !== null && rows.size === 0) {
    throw new BackplaneError('WORKSPACE_UNKNOWN', `nobody is in the workspace "${workspace}"`);
  }
  const sorted = [...rows.values()].sort((a, b) => compareValues(a.workspace, b.workspace));
  return { rows: sorted, silent: silent.sort() };
}

/** Not an answer: gone, too slow, or of a version that does not know the question. */
const silence = [
  ...(['NO_RESPONDER', 'NODE_DEAD', 'RESPONDER_GONE', 'DEADLINE_EXCEEDED'] as const),
  'METHOD_UNKNOWN',
] as const;

async function* viewsOf(
  { visitor }: RelaySources,
  session: string,
  workspace: string | null,
  options: RequestOptions,
): AsyncGenerator<RelayView> {
  let after: string | null = null;
  do {
    const asked: unknown = await visitor.control(
      session,
      'relay.list',
      { workspace, after },
      options,
    );
    const page = asked as RelayPage;
    yield* page.workspaces;
    after = page.next;
  } while (after !== null);
}

/** What the broker says, so that a workspace whose daemon's node is silent is not left out. */
async function addHolders(
  rows: Map<string, RelayReport>,
  registry: Registry,
  only: string | null,
): Promise<void> {
  if (only !== null) {
    const name = await registry.holder(nameOfDaemon(only));
    if (name) addHolder(rows, only, name);
    return;
  }
  let from: string | null = null;
  do {
    const page: NamePage = await registry.names(from);
    for (const name of page.names) {
      const workspace = workspaceOfName(name.name);
      if (workspace !== null) addHolder(rows, workspace, name);
    }
    from = page.next;
  } while (from !== null);
}

function addHolder(rows: Map<string, RelayReport>, workspace: string, name: NameHolder): void {
  const holder = readHolder(name);
  if (!holder) return;
  const { nodeId, session, publicUrl } = holder;
  rows.set(workspace, { ...nobodyIn(workspace), nodeId, session, publicUrl });
}

function add(rows: Map<string, RelayReport>, nodeId: string, view: RelayView): void {
  // One that everybody left a moment ago is none.
  if (!view.daemon && view.browsers === 0) return;
  const row = rows.get(view.workspace) ?? nobodyIn(view.workspace);
  rows.set(view.workspace, {
    ...row,
    browsers: row.browsers + view.browsers,
    browserNodes: view.browsers > 0 ? [...row.browserNodes, nodeId].sort() : row.browserNodes,
    queuedBytes: row.queuedBytes + view.queuedBytes,
    dropped: row.dropped + view.dropped,
    redirects: row.redirects + view.redirects,
  });
}

function nobodyIn(workspace: string): RelayReport {
  return {
    workspace,
    nodeId: null,
    session: null,
    publicUrl: null,
    browsers: 0,
    browserNodes: [],
    queuedBytes: 0,
    dropped: 0,
    redirects: 0,
  };
}
