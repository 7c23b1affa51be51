import { BackplaneError } from '../../foundation/errors.ts';
import { checkName } from '../../foundation/identifiers.ts';
import { limits, presenceLimits } from '../../foundation/limits.ts';
import { checkRowFilter, rowMentions } from '../../foundation/row-mention.ts';
import { type Connection, checkHub, recordOf } from './connection.ts';
import { readChange } from './connection-change.ts';
import { checkSelector } from './connection-selector.ts';
import { readDelivery, writeOutcome } from './local-delivery-wire.ts';
import type { Presence } from './presence.ts';
import { describeHub } from './presence-state.ts';

export type PresenceControl =
  | 'presence.query'
  | 'presence.deliver'
  | 'presence.change'
  | 'presence.hold'
  | 'presence.local'
  | 'presence.cancel'
  | 'presence.state';

type Params = Readonly<Record<string, unknown>>;

const rowsBytesMax = limits.frameBytesMax - 262_144;

/** What other nodes and operators ask of this node's presence (`runtime/controls.ts`). */
export function presenceControls(
  presence: () => Presence,
): Record<PresenceControl, (params: Params) => Promise<unknown>> {
  return {
    'presence.query': (params) => query(presence(), params),
    'presence.deliver': (params) => deliver(presence(), params),
    'presence.change': async (params) => answerOf(await presence().change(readChange(params))),
    'presence.hold': async (params) => answerOf(await presence().changeHere(readChange(params))),
    'presence.local': async (params) => {
      return writeOutcome(await presence().desk.deliver(readDelivery(params)));
    },
    'presence.cancel': async ({ ref }) => {
      presence().desk.cancel(checkName('ref', ref, 64));
      return {};
    },
    'presence.state': ({ hub, digests }) =>
      describeHub(presence(), checkHub(hub), digests !== false),
  };
}

/** Rows in the order of their names, after the one named, as many as one answer may carry. */
async function query(presence: Presence, params: Params) {
  const { what, selector, fresh, after, limit = Number.MAX_SAFE_INTEGER } = params;
  if (after !== null && typeof after !== 'string') {
    throw new BackplaneError('REQUEST_INVALID', '"after" is a name or null');
  }
  if (!Number.isSafeInteger(limit) || (limit as number) < 1) {
    throw new BackplaneError('REQUEST_INVALID', '"limit" is a whole number from 1');
  }
  const wanted = { after, limit: limit as number };
  const options = { fresh: fresh === true };
  const checked = checkSelector(selector);
  const filter = checkRowFilter(params.filter);
  if (what === 'connections') {
    const all = await presence.find(checked, options);
    const found = filter === '' ? all : all.filter((one) => rowMentions(filter, wordsOf(one)));
    return page(
      found.map((one) => ({ name: one.id, row: one })),
      wanted,
    );
  }
  if (what === 'users') {
    const all = await presence.users(checked, options);
    const found = all.filter(({ user, nodes, hubs }) =>
      rowMentions(filter, [user, nodes.join(' '), hubs.join(' ')]),
    );
    return page(
      found.map((one) => ({ name: one.user, row: one })),
      wanted,
    );
  }
  if (what === 'groups') {
    const all = await presence.groups(checked, options);
    const found = all.filter(({ group }) => rowMentions(filter, [group]));
    return page(
      found.map((one) => ({ name: one.group, row: one })),
      wanted,
    );
  }
  throw new BackplaneError('REQUEST_INVALID', '"what" is connections, users or groups');
}

/** What a screen shows of a connection, as it shows it. */
function wordsOf({ id, user, nodeId, hub, groups, attributes }: Connection): string[] {
  const pairs = Object.entries(attributes).map(([name, value]) => `${name}=${value}`);
  return [id, user ?? '-', nodeId, hub, groups.join(' '), pairs.join(' ')];
}

function page<Row>(
  all: readonly { name: string; row: Row }[],
  { after, limit }: { readonly after: string | null; readonly limit: number },
) {
  const later = all.filter(({ name }) => after === null || name > after);
  const rows: Row[] = [];
  let bytes = 0;
  const first = firstByName(later, limit);
  for (const { row } of first) {
    // Characters beyond ASCII take more bytes than the text has characters.
    bytes += Buffer.byteLength(JSON.stringify(row)) + 1;
    if (rows.length > 0 && bytes > rowsBytesMax) break;
    rows.push(row);
  }
  const next = rows.length < later.length ? (first[rows.length - 1]?.name ?? null) : null;
  return { rows, next, total: all.length };
}

/** Sorts no more than it must: a screen wants a few of very many, again and again. */
function firstByName<One extends { readonly name: string }>(
  all: readonly One[],
  limit: number,
): One[] {
  const byName = (one: One, other: One) => (one.name < other.name ? -1 : 1);
  let first = all.slice(0, limit).sort(byName);
  let waiting: One[] = [];
  for (const one of all.slice(limit)) {
    if (one.name >= (first.at(-1)?.name ?? '')) continue;
    waiting.push(one);
    if (waiting.length < limit) continue;
    first = [...first, ...waiting].sort(byName).slice(0, limit);
    waiting = [];
  }
  return [...first, ...waiting].sort(byName).slice(0, limit);
}

/** On behalf of a visitor, whose replica this node has. */
async function deliver(presence: Presence, params: Params) {
  const { how, selector, method, payload, timeoutMs } = readDelivery({ ref: 'visitor', ...params });
  const options = { timeoutMs, fresh: params.fresh === true };
  if (how === 'send') {
    const { undelivered, ...report } = await presence.send(selector, payload, options);
    return { ...report, ...told(undelivered) };
  }
  const answers =
    how === 'one'
      ? [await presence.invokeOne(selector, method, payload, options)]
      : await presence.invokeAll(selector, method, payload, options);
  const nodes = [...new Set(answers.map(({ nodeId }) => nodeId))].sort();
  return { delivered: answers.length, nodes, ...told(answers) };
}

function told(answers: Parameters<typeof writeOutcome>[0]['answers']) {
  const some = answers.slice(0, presenceLimits.rowsMax);
  const { answers: rows } = writeOutcome({ delivered: 0, answers: some });
  // More than one reply can carry are counted only.
  return { answers: rows, unlisted: answers.length - some.length };
}

function answerOf(connection: Connection): unknown {
  return JSON.parse(recordOf(connection));
}
