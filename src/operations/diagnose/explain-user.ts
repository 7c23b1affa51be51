import { formatDuration } from '../../foundation/duration.ts';
import { BackplaneError } from '../../foundation/errors.ts';
import { parseIsoTime } from '../../foundation/iso-time.ts';
import { sleep } from '../../ports/clock.ts';
import type { SessionRecord } from '../../ports/sessions.ts';
import type { Connection } from '../../runtime/presence/connection.ts';
import type { RequestOptions } from '../../runtime/reports.ts';
import { stateOf } from '../inspect/list-nodes.ts';
import { listConnections } from '../inspect/list-presence.ts';
import type { ExplainParts } from './explain-doc.ts';
import { Account, type Explanation } from './explanation.ts';
import { findPresenceTrouble, type PresenceTrouble } from './presence-trouble.ts';

const connectionsTold = 5;
const connectionsMax = 1_000;
/** What was on its way has arrived by then, mostly; somebody waits for this. */
const settleMs = 1_000;

/** Where a user is, and whether messages reach them. Throws USER_UNKNOWN, NO_NODES. */
export async function explainUser(
  parts: ExplainParts,
  user: string,
  options: RequestOptions = {},
): Promise<Explanation> {
  const found = await connectionsOf(parts, user, options);
  if (found.length === 0) {
    throw new BackplaneError('USER_UNKNOWN', `no node holds a connection of the user "${user}"`);
  }
  const account = new Account();
  tellOnline(account, user, found);
  const areReached = await tellConnections(account, parts, found);
  const areSeen = await tellSeen(account, parts, found, options);
  return account.end(`user ${user}`, nextFor(user, areReached && areSeen));
}

async function connectionsOf(
  { engine, visitor }: ExplainParts,
  user: string,
  options: RequestOptions,
): Promise<Connection[]> {
  const door = { sessions: engine.sessions, visitor };
  const query = { selector: { user }, fresh: true };
  const found: Connection[] = [];
  for await (const page of listConnections(door, query, options)) {
    found.push(...page);
    if (found.length >= connectionsMax) break;
  }
  return found;
}

function tellOnline(account: Account, user: string, found: readonly Connection[]): void {
  const nodes = [...new Set(found.map(({ nodeId }) => nodeId))].sort();
  const hubs = [...new Set(found.map(({ hub }) => hub))].sort();
  const count = found.length === 1 ? '1 connection' : `${found.length} connections`;
  const where = `on ${nodes.join(', ')}, in the ${hubs.length === 1 ? 'hub' : 'hubs'} ${hubs.join(', ')}`;
  account.say('online', 'good', `${user} is online: ${count} ${where}.`, {
    registry: { connections: found.length, nodes, hubs },
  });
}

/** Each with the state of its node: nobody is reached through one that hangs. */
async function tellConnections(
  account: Account,
  { engine, clock }: ExplainParts,
  found: readonly Connection[],
): Promise<boolean> {
  const sessions = new Map<string, SessionRecord | null>();
  for (const { session } of found) {
    if (!sessions.has(session)) sessions.set(session, await engine.sessions.read(session));
  }
  for (const [at, connection] of found.slice(0, connectionsTold).entries()) {
    const { id, nodeId, hub, groups, since } = connection;
    const ago = formatDuration(
      Math.max(0, clock.wallMs() - (parseIsoTime(since) ?? clock.wallMs())),
    );
    const within = groups.length === 0 ? 'in no group' : `in ${groups.join(', ')}`;
    const evidence = { registry: { hub, groups, since, session: connection.session } };
    const text = `${id} has been connected to ${nodeId} for ${ago}, ${within}.`;
    account.say(`connection-${at + 1}`, 'plain', text, evidence, ['online']);
  }
  let areReached = true;
  for (const [session, record] of sessions) {
    const state = record === null ? 'dead' : stateOf(record);
    if (state === 'live' || state === 'draining') continue;
    areReached = false;
    const nodeId = found.find((each) => each.session === session)?.nodeId ?? session;
    const text = `What is sent through ${nodeId} is not delivered now: it is ${state}.`;
    const facts = record && { state, lastBeatAgoMs: record.lastBeatAgoMs };
    account.say(`unreached-${nodeId}`, 'bad', text, { session: facts ?? 'no such session' }, [
      'online',
    ]);
  }
  return areReached;
}

async function tellSeen(
  account: Account,
  parts: ExplainParts,
  found: readonly Connection[],
  options: RequestOptions,
): Promise<boolean> {
  const settle = () => sleep(parts.clock, settleMs, options.signal);
  const hubs = [...new Set(found.map(({ hub }) => hub))];
  const { rows } = await findPresenceTrouble({ ...parts, settle }, hubs, options);
  const sessions = new Set(found.map(({ session }) => session));
  const troubles = rows.filter(({ session }) => sessions.has(session));
  const evidence = { 'presence of every node': troubles.length === 0 ? 'agrees' : troubles };
  if (troubles.length === 0) {
    const text =
      'Every node that takes part in these hubs has what the broker has, so all see them.';
    account.say('seen', 'good', text, evidence, ['online']);
    return true;
  }
  const text = `Not everybody sees that: ${troubles.map(troubleText).join('; ')}.`;
  account.say('seen', 'bad', text, evidence, ['online']);
  return false;
}

function troubleText({ kind, seenBy, nodeId, session, hub }: PresenceTrouble): string {
  const holder = nodeId ?? `the session ${session}`;
  switch (kind) {
    case 'left-behind':
      return `${holder} is not alive, and its connections in ${hub} are still registered`;
    case 'unregistered':
      return `${holder} holds connections in ${hub} that the broker has not`;
    case 'behind':
      return `${seenBy} has not heard of those on ${holder} in ${hub}`;
    case 'lingering':
      return `${seenBy} still sees some of ${holder} in ${hub} that are gone`;
  }
}

function nextFor(user: string, isWell: boolean): string {
  if (!isWell) return 'backplane inspect presence --diff';
  const name = /^[A-Za-z0-9_.:@%+=,/-]+$/.test(user) ? user : `'${user.replaceAll("'", "'\\''")}'`;
  return `backplane inspect connections --user ${name} --watch`;
}
