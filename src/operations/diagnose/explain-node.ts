import { formatDuration } from '../../foundation/duration.ts';
import { asBackplaneError } from '../../foundation/errors.ts';
import { inboxChannel } from '../../runtime/channels.ts';
import type { NodeSelfReport } from '../../runtime/health/self-report.ts';
import type { RequestOptions } from '../../runtime/reports.ts';
import { describeNode, type NodeDescription } from '../inspect/describe-node.ts';
import type { ExplainParts } from './explain-doc.ts';
import { Account, type Explanation } from './explanation.ts';

const patienceMs = 3_000;

/** Why a node is as it is. Throws NODE_UNKNOWN. */
export async function explainNode(
  parts: ExplainParts,
  name: string,
  options: RequestOptions = {},
): Promise<Explanation> {
  const node = await describeNode(parts.engine.sessions, name);
  const account = new Account();
  tellLife(account, node);
  const owned = await ownedBy(parts, node.session);
  tellOwned(account, node, owned);
  const report = node.state === 'dead' ? null : await tellAnswer(account, parts, node, options);
  if (report) tellHealth(account, report);
  return account.end(`node ${node.nodeId}`, nextFor(node, owned, report !== null));
}

function tellLife(account: Account, node: NodeDescription): void {
  const { state, cause, session, lastBeatAgoMs, pid, startedAt, others, duplicate } = node;
  const ago = formatDuration(lastBeatAgoMs);
  const evidence = { session: { id: session, state, cause, lastBeatAgoMs, pid, startedAt } };
  const words = {
    live: `It is live: it beat ${ago} ago.`,
    draining: `It is stopping in order, and hands its documents over; it beat ${ago} ago.`,
    deaf: 'It beats, and says itself that its subscriber connection delivers nothing.',
    silent: `It has missed heartbeats: the last was ${ago} ago. It hangs, or is cut off from the broker.`,
    dead: deathWords(cause, ago),
  };
  const isWell = state === 'live' || state === 'draining';
  account.say('life', isWell ? 'good' : 'bad', words[state], evidence);
  if (duplicate) {
    const text = 'Another live process has the same id, so nobody can name one of the two.';
    account.say('duplicate', 'bad', text, {
      sessions: [session, ...others.map((each) => each.session)],
    });
  }
  const past = others.filter(({ state: was }) => was === 'dead');
  if (past.length === 0) return;
  const causes = past.map((each) => `${each.cause} (${each.session})`).join(', ');
  account.say('past', 'plain', `Earlier lives of it ended: ${causes}.`, {
    'session index': past.length,
  });
}

function deathWords(cause: NodeDescription['cause'], ago: string): string {
  if (cause === 'left') return `It stopped in order, ${ago} after its last beat.`;
  if (cause === 'fenced') return `Another node gave it up; its last beat was ${ago} ago.`;
  return `Its session ran out; its last beat was ${ago} ago.`;
}

interface Owned {
  readonly leases: number;
  readonly docs: readonly string[];
}

async function ownedBy({ engine }: ExplainParts, session: string): Promise<Owned> {
  const docs: string[] = [];
  let leases = 0;
  for await (const page of engine.inspector.leases()) {
    const own = page.filter((row) => row.session === session);
    leases += own.length;
    if (docs.length < 3) docs.push(...own.map(({ doc }) => doc).slice(0, 3));
  }
  return { leases, docs: docs.slice(0, 3) };
}

function tellOwned(account: Account, node: NodeDescription, { leases, docs }: Owned): void {
  const isDead = node.state === 'dead';
  const count = leases === 1 ? '1 document' : `${leases} documents`;
  const such = docs.length > 0 ? `, such as ${docs.join(', ')}` : '';
  const evidence = { directory: { leases, docs } };
  if (leases === 0)
    account.say('owned', isDead ? 'good' : 'plain', 'It owns no document.', evidence, ['life']);
  else if (isDead) {
    const text = `It left ${count}${such}; each is taken over when somebody asks for it.`;
    account.say('owned', 'bad', text, evidence, ['life']);
  } else account.say('owned', 'plain', `It owns ${count}${such}.`, evidence, ['life']);
}

async function tellAnswer(
  account: Account,
  { engine, visitor, clock }: ExplainParts,
  { session }: NodeDescription,
  options: RequestOptions,
): Promise<NodeSelfReport | null> {
  const receivers = await engine.bus.receivers(inboxChannel(session));
  const startedMs = clock.monotonicMs();
  try {
    const timeoutMs = Math.min(options.timeoutMs ?? patienceMs, patienceMs);
    const params = { probe: true };
    const answer = await visitor.control(session, 'node.report', params, { ...options, timeoutMs });
    const took = formatDuration(clock.monotonicMs() - startedMs);
    account.say('answer', 'good', `It answered over the bus in ${took}.`, { inbox: { receivers } });
    return answer as NodeSelfReport;
  } catch (thrown) {
    const { code } = asBackplaneError(thrown);
    const why =
      receivers === 0 ? 'nobody listens on its inbox' : 'its process listens, and does not answer';
    account.say(
      'answer',
      'bad',
      `It did not answer: ${why}.`,
      { inbox: { receivers }, error: code },
      ['life'],
    );
    return null;
  }
}

function tellHealth(account: Account, report: NodeSelfReport): void {
  const failed = report.readiness?.checks.filter(({ ok }) => !ok) ?? [];
  for (const { name, detail } of failed) {
    account.say(
      `not-ready-${name}`,
      'bad',
      `Its ${name} does not work: ${detail}.`,
      { readiness: detail },
      ['answer'],
    );
  }
  if (failed.length === 0) {
    account.say(
      'ready',
      'good',
      'Broker, subscriber, store and session work.',
      { readiness: 'all ok' },
      ['answer'],
    );
  }
  const { loopLagMs, sessionMarginMs, overMs } = report.strain;
  if (loopLagMs !== null && loopLagMs > 1_000) {
    const text = `Its event loop stood still for ${formatDuration(loopLagMs)} within the last ${formatDuration(overMs)}.`;
    account.say('lag', 'bad', text, { strain: report.strain }, ['answer']);
  }
  if (sessionMarginMs !== null && sessionMarginMs < report.dials.leaseTtlMs / 3) {
    const text = `It nearly lost its session: ${formatDuration(Math.max(0, sessionMarginMs))} were left once.`;
    account.say('margin', 'bad', text, { strain: report.strain }, ['answer']);
  }
  const lost = report.metrics.counters.sessions_lost_total ?? 0;
  if (lost > 0) {
    const counters = { sessions_lost_total: lost };
    account.say(
      'lost',
      'bad',
      `It lost its session ${lost} times since it started, and opened a new one.`,
      { counters },
    );
  }
}

function nextFor(
  { state, session, nodeId }: NodeDescription,
  { leases }: Owned,
  answers: boolean,
): string {
  if (state === 'dead')
    return leases > 0 ? `backplane node evict ${session}` : `backplane serve --node-id ${nodeId}`;
  if (state === 'silent') return `backplane node evict ${session}`;
  if (state === 'deaf' || !answers) return `backplane node evict ${session} --force`;
  return `backplane inspect leases --node ${nodeId}`;
}
