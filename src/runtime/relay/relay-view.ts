import type { RelayWorkspace } from './relay-workspace.ts';

/** One workspace as a node sees it. */
export interface RelayView {
  readonly workspace: string;
  /** Null when there is none. The node is the one its connection ends at. */
  readonly daemon: {
    readonly nodeId: string;
    readonly session: string;
    readonly publicUrl: string | null;
  } | null;
  readonly isDaemonHere: boolean;
  readonly browsers: number;
  readonly queuedBytes: number;
  readonly dropped: number;
  readonly redirects: number;
}

/** What a node answers about its workspaces, in the order of their names. */
export interface RelayPage {
  readonly nodeId: string;
  /** Where it says that clients reach it. */
  readonly publicUrl: string | null;
  readonly redirects: boolean;
  readonly workspaces: readonly RelayView[];
  /** The last name of the page; null when there is no more. */
  readonly next: string | null;
}

export function viewOf(workspace: RelayWorkspace): RelayView {
  const holder = workspace.guide.holder ?? null;
  return {
    workspace: workspace.name,
    daemon: holder && {
      nodeId: holder.nodeId,
      session: holder.session,
      publicUrl: holder.publicUrl,
    },
    isDaemonHere: workspace.daemon !== null,
    browsers: workspace.browsers.size,
    queuedBytes: workspace.queuedBytes,
    dropped: workspace.dropped,
    redirects: workspace.redirects,
  };
}
