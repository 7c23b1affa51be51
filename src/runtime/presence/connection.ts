import { BackplaneError } from '../../foundation/errors.ts';
import { checkName } from '../../foundation/identifiers.ts';
import { presenceLimits as limits } from '../../foundation/limits.ts';
import { parsePlainJson } from '../../foundation/plain-json.ts';

/** A registered connection of a client, wherever in the cluster it is. */
export interface Connection {
  /** Drawn at random, so whoever knows it was told it. */
  readonly id: string;
  readonly hub: string;
  readonly user: string | null;
  readonly groups: readonly string[];
  readonly attributes: Readonly<Record<string, string>>;
  /** ISO time by the clock of its node: to show. */
  readonly since: string;
  readonly nodeId: string;
  /** The life of the node under which it is registered. */
  readonly session: string;
}

/** What a connection says of itself, or what `identify` says of it. */
export interface ConnectionIdentity {
  readonly hub?: string;
  readonly user?: string | null;
  readonly groups?: readonly string[];
  readonly attributes?: Readonly<Record<string, string>>;
}

export const defaultHub = 'main';
const noGroups: readonly string[] = Object.freeze([]);
const noAttributes: Readonly<Record<string, string>> = Object.freeze({});

export const checkHub = (hub: unknown) => checkName('hub', hub, limits.hubBytesMax);
export const checkUser = (user: unknown) => checkName('user', user, limits.userBytesMax);
export const checkGroup = (group: unknown) => checkName('group', group, limits.groupBytesMax);
export const checkConnectionId = (id: unknown) => checkName('connection id', id, 64);

/** Throws NAME_INVALID or REQUEST_INVALID: what it checks may come from anybody. */
export function checkIdentity(
  identity: ConnectionIdentity,
): Pick<Connection, 'hub' | 'user' | 'groups' | 'attributes'> {
  const { hub = defaultHub, user = null, groups = noGroups, attributes = noAttributes } = identity;
  return {
    hub: checkHub(hub),
    user: user === null ? null : checkUser(user),
    groups: checkGroups(groups),
    attributes: checkAttributes(attributes),
  };
}

/** Sorted, each once. */
export function checkGroups(groups: unknown): readonly string[] {
  if (!Array.isArray(groups)) throw new BackplaneError('REQUEST_INVALID', '"groups" is a list');
  if (groups.length === 0) return noGroups;
  const distinct = new Set(groups.map(checkGroup));
  if (distinct.size <= limits.groupsMax) return [...distinct].sort();
  const message = `${distinct.size} groups; at most ${limits.groupsMax} for a connection`;
  throw new BackplaneError('REQUEST_INVALID', message);
}

function checkAttributes(attributes: unknown): Readonly<Record<string, string>> {
  if (typeof attributes !== 'object' || attributes === null || Array.isArray(attributes)) {
    throw new BackplaneError('REQUEST_INVALID', '"attributes" is an object of texts');
  }
  const entries = Object.entries(attributes);
  if (entries.length === 0) return noAttributes;
  if (entries.length > limits.attributesMax) {
    const message = `${entries.length} attributes; at most ${limits.attributesMax}`;
    throw new BackplaneError('REQUEST_INVALID', message);
  }
  for (const [key, value] of entries) {
    checkName('attribute', key, limits.attributeKeyBytesMax);
    if (typeof value !== 'string' || Buffer.byteLength(value) > limits.attributeValueBytesMax) {
      const most = `at most ${limits.attributeValueBytesMax} bytes`;
      throw new BackplaneError('REQUEST_INVALID', `an attribute is a text of ${most}`);
    }
  }
  // What has no prototype can be asked for any key.
  return Object.assign(Object.create(null), Object.fromEntries(entries));
}

/** What the registry and frames carry of a connection; the rest follows from where it lies. */
export function recordOf({ user, groups, attributes, since, nodeId }: Connection): string {
  return JSON.stringify({
    user,
    groups: groups.length > 0 ? groups : undefined,
    attributes: Object.keys(attributes).length > 0 ? attributes : undefined,
    since,
    nodeId,
  });
}

/** Throws PAYLOAD_TOO_LARGE: every node keeps it, and every change sends it again. */
export function checkSize(connection: Connection): Connection {
  const bytes = Buffer.byteLength(recordOf(connection));
  if (bytes <= limits.recordBytesMax) return connection;
  const message = `the connection says ${bytes} bytes of itself; at most ${limits.recordBytesMax}`;
  throw new BackplaneError('PAYLOAD_TOO_LARGE', message);
}

/** The connection that a record from the network tells of; null when it is none of ours. */
export function readRecord(
  place: { readonly id: unknown; readonly hub: string; readonly session: string },
  record: unknown,
): Connection | null {
  if (typeof record !== 'object' || record === null || Array.isArray(record)) return null;
  const { user, groups, attributes, since, nodeId } = record as Record<string, unknown>;
  try {
    const id = checkConnectionId(place.id);
    const identity = { user, groups, attributes } as ConnectionIdentity;
    const checked = checkIdentity({ hub: place.hub, ...identity });
    if (typeof since !== 'string' || since.length > 32) return null;
    const node = checkName('node id', nodeId, 64);
    return { id, ...checked, since, nodeId: node, session: place.session };
  } catch {
    return null;
  }
}

export function readRecordText(
  place: { readonly id: unknown; readonly hub: string; readonly session: string },
  text: string,
): Connection | null {
  try {
    return readRecord(place, parsePlainJson(text, 'a registration'));
  } catch {
    return null;
  }
}
