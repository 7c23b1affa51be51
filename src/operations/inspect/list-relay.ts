import { BackplaneError, isBackplaneError } from '../../foundation/errors.ts';
import type { NameHolder, NamePage, Registry } from '../../ports/registry.ts';
import { nameOfDaemon, readHolder, workspaceOfName } from '../../runtime/relay/daemon-holder.ts';
import type { RelayPage, RelayView } from '../../runtime/relay/relay-view.ts';
import type { RequestOptions } from '../../runtime/reports.ts';
import type { ClusterDoor } from './ask-any-node.ts';
import { askEveryNode } from './ask-every-node.ts';
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

/**
 * So many workspaces in the order of their names, from one page of every node: it costs what it
 * shows, not what there is. One whose daemon hangs on a node that is silent, and that has no
 * browsers elsewhere, is not in it. Throws NO_NODES.
 */
export async function readRelayPage(
  sources: RelaySources,
  wish: { readonly from: string | null; readonly limit: number; readonly filter: string },
  options: RequestOptions = {},
): Promise<RelayListing & { readonly next: string | null }> {
  const { from, limit, filter } = wish;
  const params = { after: from, ...(filter !== '' && { filter }) };
  const { answers, silent } = await askEveryNode(sources, 'relay.list', params, options);
  const pages = answers.map(({ answer }) => answer as RelayPage);
  // Past the end of a page that goes on, its node may have some that others have, too.
  const ends = pages.flatMap(({ next }) => (next === null ? [] : [next])).sort();
  const [end = null] = ends;
  const rows = new Map<string, RelayReport>();
  for (const { nodeId, workspaces } of pages) {
    for (const view of workspaces) {
      if (end === null || view.workspace <= end) add(rows, nodeId, view);
    }
  }
  const sorted = [...rows.values()].sort((a, b) => compareValues(a.workspace, b.workspace));
  const shown = sorted.slice(0, limit);
  const whole = await Promise.all(shown.map((row) => withHolder(sources.registry, row, pages)));
  const next = sorted.length > limit ? (shown.at(-1)?.workspace ?? null) : end;
  return { rows: whole, silent, next };
}

/** Who has the daemon, as a node that sees it says; the broker is asked where none does. */
async function withHolder(
  registry: Registry,
  row: RelayReport,
  pages: readonly RelayPage[],
): Promise<RelayReport> {
  const views = pages.flatMap(({ workspaces }) => workspaces);
  const seen = views.find(({ workspace, daemon }) => workspace === row.workspace && daemon);
  if (seen?.daemon) return { ...row, ...seen.daemon };
  const name = await registry.holder(nameOfDaemon(row.workspace));
  const holder = name && readHolder(name);
  return holder ? { ...row, ...pick(holder) } : row;
}

function pick({
  nodeId,
  session,
  publicUrl,
}: Pick<RelayReport, 'nodeId' | 'session' | 'publicUrl'>) {
  return { nodeId, session, publicUrl };
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
