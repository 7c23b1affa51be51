import { BackplaneError } from '../../foundation/errors.ts';
import { matchesGlob } from '../../foundation/glob.ts';
import { checkName } from '../../foundation/identifiers.ts';
import { presenceLimits as limits } from '../../foundation/limits.ts';
import {
  type Connection,
  checkConnectionId,
  checkGroup,
  checkHub,
  checkUser,
} from './connection.ts';

/** Which connections are meant: those that match everything given. Empty: everyone. */
export interface ConnectionSelector {
  readonly id?: string;
  readonly user?: string;
  readonly group?: string;
  readonly attribute?: AttributeMatch;
  readonly hub?: string;
}

export interface AttributeMatch {
  readonly key: string;
  /** `*` stands for any text, `?` for one character. */
  readonly glob: string;
}

/** Throws REQUEST_INVALID or NAME_INVALID: it may come from the network. */
export function checkSelector(selector: unknown): ConnectionSelector {
  if (typeof selector !== 'object' || selector === null || Array.isArray(selector)) {
    throw new BackplaneError('REQUEST_INVALID', 'a selector of connections is an object');
  }
  const known = ['id', 'user', 'group', 'attribute', 'hub'];
  const unknown = Object.keys(selector).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    const shown = JSON.stringify(unknown.slice(0, 32));
    throw new BackplaneError('REQUEST_INVALID', `connections cannot be selected by ${shown}`);
  }
  const { id, user, group, attribute, hub } = selector as ConnectionSelector;
  return {
    ...(id !== undefined && { id: checkConnectionId(id) }),
    ...(user !== undefined && { user: checkUser(user) }),
    ...(group !== undefined && { group: checkGroup(group) }),
    ...(attribute !== undefined && { attribute: checkAttribute(attribute) }),
    ...(hub !== undefined && { hub: checkHub(hub) }),
  };
}

export function matches(selector: ConnectionSelector, connection: Connection): boolean {
  const { id, user, group, attribute, hub } = selector;
  if (id !== undefined && connection.id !== id) return false;
  if (hub !== undefined && connection.hub !== hub) return false;
  if (user !== undefined && connection.user !== user) return false;
  if (group !== undefined && !connection.groups.includes(group)) return false;
  if (attribute === undefined) return true;
  const value = Object.hasOwn(connection.attributes, attribute.key)
    ? connection.attributes[attribute.key]
    : undefined;
  return value !== undefined && matchesGlob(attribute.glob, value);
}

/** That nothing matches, in the words of what was asked for. */
export function nothingMatches(selector: ConnectionSelector): BackplaneError {
  const { id, user, group, attribute, hub } = selector;
  const where = hub === undefined ? '' : ` in the hub "${hub}"`;
  if (id !== undefined) {
    return new BackplaneError('CONNECTION_UNKNOWN', `no connection is called "${id}"${where}`);
  }
  if (user !== undefined) {
    return new BackplaneError('USER_UNKNOWN', `"${user}" has no connection${where}`);
  }
  if (group !== undefined) {
    return new BackplaneError('GROUP_UNKNOWN', `nobody is in the group "${group}"${where}`);
  }
  const what = attribute ? ` with ${attribute.key}=${attribute.glob}` : '';
  return new BackplaneError('CONNECTION_UNKNOWN', `there is no connection${what}${where}`);
}

function checkAttribute(attribute: unknown): AttributeMatch {
  const { key, glob } = (attribute ?? {}) as Partial<AttributeMatch>;
  return {
    key: checkName('attribute', key, limits.attributeKeyBytesMax),
    glob: checkName('pattern', glob, limits.globBytesMax),
  };
}
