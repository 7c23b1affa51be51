import { asBackplaneError, BackplaneError } from '../../foundation/errors.ts';
import type { Bus } from '../../ports/bus.ts';
import type { Clock } from '../../ports/clock.ts';
import type { SessionRecord, Sessions } from '../../ports/sessions.ts';
import { inboxChannel } from '../../runtime/channels.ts';
import type { RequestOptions } from '../../runtime/reports.ts';
import type { Visitor } from '../../runtime/visitor.ts';
import { type NodeState, stateOf } from './list-nodes.ts';

/**
 * `answered`: as it should. `silent`: alive by its heartbeat, and did not answer. `undead`: given
 * up for dead, and answered. `gone`: dead, and nobody listens.
 */
export type Reach = 'answered' | 'silent' | 'undead' | 'gone';

export interface ReachRow {
  readonly nodeId: string;
  readonly session: string;
  readonly state: NodeState;
  readonly reach: Reach;
  /** Null when no answer came. */
  readonly latencyMs: number | null;
  /** How many listen on its inbox; more than one means that two processes hear its requests. */
  readonly receivers: number;
  readonly detail: string | null;
}

export interface ReachabilityReport {
  readonly nodes: readonly ReachRow[];
  /** By nodeId: who should have answered and did not. */
  readonly silent: readonly string[];
  /** Who answered though given up for dead. */
  readonly undead: readonly string[];
  /** Who answered from two lives at once, or through two listeners. */
  readonly twice: readonly string[];
}

export interface ReachabilityParts {
  readonly bus: Bus;
  readonly sessions: Sessions;
  readonly visitor: Visitor;
  readonly clock: Clock;
}

/**
 * Asks every node to answer, also those given up for dead, if somebody listens in their place.
 * Changes nothing. Throws NO_NODES.
 */
export async function reachability(
  parts: ReachabilityParts,
  options: RequestOptions = {},
): Promise<ReachabilityReport> {
  const records = await parts.sessions.list();
  const rows = await Promise.all(records.map((record) => reach(parts, record, options)));
  const told = rows.filter(({ reach: how, state }) => how !== 'gone' || state !== 'dead');
  if (told.length === 0) {
    throw new BackplaneError('NO_NODES', 'no node is there to answer', {
      facts: { remembered: records.length },
    });
  }
  const names = (accepts: (row: ReachRow) => boolean) => [
    ...new Set(rows.filter(accepts).map(({ nodeId }) => nodeId)),
  ];
  const answers = (nodeId: string) =>
    rows.filter((row) => row.nodeId === nodeId && row.latencyMs !== null).length;
  return {
    nodes: rows.filter(({ reach: how }) => how !== 'gone').sort(byName),
    silent: names(({ reach: how }) => how === 'silent'),
    undead: names(({ reach: how }) => how === 'undead'),
    twice: names((row) => answers(row.nodeId) > 1 || row.receivers > 1),
  };
}

/** Why not every node is reachable as it should be; null when all are. */
export function reachFailure({ silent, undead, twice }: ReachabilityReport): BackplaneError | null {
  const parts = [
    silent.length > 0 ? `no answer from ${silent.join(', ')}` : null,
    undead.length > 0 ? `given up for dead, and answered: ${undead.join(', ')}` : null,
    twice.length > 0 ? `answered twice: ${twice.join(', ')}` : null,
  ].filter((part) => part !== null);
  if (parts.length === 0) return null;
  return new BackplaneError('PARTIAL', parts.join('; '), {
    remedy: 'backplane doctor',
    facts: { silent, undead, twice },
  });
}

async function reach(
  { bus, visitor, clock }: ReachabilityParts,
  record: SessionRecord,
  options: RequestOptions,
): Promise<ReachRow> {
  const { nodeId } = record.description;
  const state = stateOf(record);
  const receivers = await bus.receivers(inboxChannel(record.id));
  const about = { nodeId, session: record.id, state, receivers };
  const isDead = state === 'dead';
  if (receivers === 0) {
    const reach = isDead ? ('gone' as const) : ('silent' as const);
    return { ...about, reach, latencyMs: null, detail: 'nobody listens on its inbox' };
  }
  const startedMs = clock.monotonicMs();
  try {
    await visitor.control(record.id, 'node.report', { probe: false }, options);
  } catch (thrown) {
    const error = asBackplaneError(thrown);
    // A node of another version that knows no such question has answered all the same.
    if (error.code !== 'METHOD_UNKNOWN' && error.code !== 'CLOSED') {
      return {
        ...about,
        reach: isDead ? 'gone' : 'silent',
        latencyMs: null,
        detail: error.message,
      };
    }
  }
  const latencyMs = Math.round((clock.monotonicMs() - startedMs) * 100) / 100;
  return { ...about, reach: isDead ? 'undead' : 'answered', latencyMs, detail: null };
}

function byName(a: ReachRow, b: ReachRow): number {
  return a.nodeId < b.nodeId ? -1 : Number(a.nodeId > b.nodeId);
}
