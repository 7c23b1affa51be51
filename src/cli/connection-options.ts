import { parseAttribute } from '../operations/act/connection-target.ts';
import type { PresenceQuery } from '../operations/inspect/list-presence.ts';
import { flag, option } from './parameters.ts';
import { anyText } from './parse-values.ts';

/** The options that say which connections are looked at; spread them into those of a listing. */
export function connectionOptions() {
  return {
    hub: option('--hub <HUB>', 'only connections in this hub', anyText),
    user: option('--user <USER>', 'only connections of this user', anyText),
    group: option('--group <GROUP>', 'only connections in this group', anyText),
    attribute: option(
      '--attribute <NAME=PATTERN>',
      'only connections with an attribute that matches, as device=phone-*',
      parseAttribute,
    ),
    fresh: freshFlag,
  };
}

export const freshFlag = flag(
  '--fresh',
  'ask the broker first, instead of trusting what a node has heard',
);

export function queryOf(options: {
  readonly hub: string | undefined;
  readonly user: string | undefined;
  readonly group: string | undefined;
  readonly attribute: { readonly key: string; readonly glob: string } | undefined;
  readonly fresh: boolean;
}): PresenceQuery {
  const { hub, user, group, attribute, fresh } = options;
  return {
    selector: {
      ...(hub !== undefined && { hub }),
      ...(user !== undefined && { user }),
      ...(group !== undefined && { group }),
      ...(attribute !== undefined && { attribute }),
    },
    fresh,
  };
}
