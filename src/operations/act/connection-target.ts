import { BackplaneError } from '../../foundation/errors.ts';
import {
  type ConnectionSelector,
  checkSelector,
} from '../../runtime/presence/connection-selector.ts';

/** Reads `conn:ID`, `user:NAME`, `group:NAME`, `attr:NAME=PATTERN`, `hub:NAME` or `all`. Throws USAGE, NAME_INVALID. */
export function parseConnectionTarget(text: string): ConnectionSelector {
  if (text === 'all') return {};
  const colon = text.indexOf(':');
  const value = text.slice(colon + 1);
  switch (colon < 0 ? '' : text.slice(0, colon)) {
    case 'conn':
      return checkSelector({ id: value });
    case 'user':
      return checkSelector({ user: value });
    case 'group':
      return checkSelector({ group: value });
    case 'hub':
      return checkSelector({ hub: value });
    case 'attr':
      return checkSelector({ attribute: parseAttribute(value) });
    default:
      throw new BackplaneError('USAGE', `"${text.slice(0, 80)}" names no connections`, {
        remedy: 'write conn:ID, user:NAME, group:NAME, attr:NAME=PATTERN, hub:NAME or all',
      });
  }
}

/** `NAME=PATTERN`, in which `*` and `?` stand for any text and any character. Throws USAGE. */
export function parseAttribute(text: string): { key: string; glob: string } {
  const equals = text.indexOf('=');
  if (equals > 0) return { key: text.slice(0, equals), glob: text.slice(equals + 1) };
  throw new BackplaneError('USAGE', `"${text.slice(0, 80)}" is not NAME=PATTERN`);
}

/** Refuses to mean something else than it says: a hub twice. */
export function withinHub(target: ConnectionSelector, hub: string | undefined): ConnectionSelector {
  if (hub === undefined) return target;
  if (target.hub === undefined || target.hub === hub) return checkSelector({ ...target, hub });
  throw new BackplaneError('USAGE', `the target is in the hub "${target.hub}", not in "${hub}"`);
}
