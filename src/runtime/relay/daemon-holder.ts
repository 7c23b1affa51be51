import { parsePlainJson } from '../../foundation/plain-json.ts';
import { isRelayToken } from '../../foundation/relay-letter.ts';
import type { NameHolder } from '../../ports/registry.ts';

/** Who serves a workspace, as its node wrote it beside the name. */
export interface DaemonHolder {
  readonly session: string;
  readonly nodeId: string;
  readonly instance: string;
  /** The daemon's connection: drawn anew for each. */
  readonly way: string;
  readonly publicUrl: string | null;
}

const namePrefix = 'relay:';

export function nameOfDaemon(workspace: string): string {
  return namePrefix + workspace;
}

/** The workspace whose daemon holds the name; null when it is another kind of name. */
export function workspaceOfName(name: string): string | null {
  return name.startsWith(namePrefix) ? name.slice(namePrefix.length) : null;
}

export function writeHolder({
  nodeId,
  instance,
  publicUrl,
}: Omit<DaemonHolder, 'session'>): string {
  return JSON.stringify({ nodeId, instance, publicUrl });
}

/** Null when something else stands there. */
export function readHolder({ session, token, holder }: NameHolder): DaemonHolder | null {
  try {
    const found = parsePlainJson(holder, 'the holder of a name') as Record<string, unknown>;
    const { nodeId, instance, publicUrl = null } = found;
    const isWhole =
      typeof nodeId === 'string' &&
      isRelayToken(instance) &&
      (publicUrl === null || typeof publicUrl === 'string');
    return isWhole ? { session, nodeId, instance, way: token, publicUrl } : null;
  } catch {
    return null;
  }
}
