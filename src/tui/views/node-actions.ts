import type { ListedRows } from '../../operations/watch/listing-page.ts';
import type { NodePulseReport, PulseReport } from '../../operations/watch/pulse-report.ts';
import { plural } from '../drawing/figures.ts';
import type { Action } from '../state/action.ts';

/** What can be done to a node. A session, not a name, is acted on: names can be taken twice. */
export function nodeActions(node: NodePulseReport): Action[] {
  const { nodeId, session, state } = node;
  if (state === 'dead' || state === 'silent') return [evict(node)];
  const drain: Action = {
    label: `drain ${nodeId}`,
    next: {
      kind: 'confirm',
      warning: [
        `Drain ${nodeId}? It hands its ${plural(node.documents, 'document')} to the other nodes,`,
        `sends its ${plural(node.connections, 'peer')} elsewhere and stops. No request is lost.`,
      ],
      request: { kind: 'drain', session, nodeId },
    },
  };
  return [...(state === 'draining' ? [] : [drain]), evict(node)];
}

function evict({ nodeId, session, state, documents }: NodePulseReport): Action {
  const isAlive = state !== 'dead' && state !== 'silent';
  const warning = isAlive
    ? [
        `${nodeId} is alive. Evict it all the same? Its session is fenced: it loses its`,
        `${plural(documents, 'document')} at once, and comes back under a new session.`,
      ]
    : [
        `Evict ${nodeId}? Its session is fenced if it still lives, and what it left behind`,
        'is removed. The next request for each of its documents takes it over.',
      ];
  return {
    label: isAlive ? `evict ${nodeId} (it is alive)` : `evict ${nodeId}`,
    next: { kind: 'confirm', warning, request: { kind: 'evict', session, nodeId, isAlive } },
  };
}

/** Of a connection, by its id. */
export function kickAction({ id, user, nodeId }: ListedRows['connections']): Action {
  return {
    label: `close ${id}`,
    next: {
      kind: 'confirm',
      warning: [
        `Close the connection ${id}${user === null ? '' : ` of ${user}`} on ${nodeId}?`,
        'Its client is told why, and does not come back by itself.',
      ],
      request: { kind: 'kick', connection: id },
    },
  };
}

/** What can be done to a document that somebody owns. */
export function documentActions(
  doc: string,
  owner: string | null,
  pulse: PulseReport | null,
): Action[] {
  if (owner === null) return [];
  const targets = (pulse?.nodes ?? []).filter(
    ({ nodeId, state }) => state === 'live' && nodeId !== owner,
  );
  const release: Action = {
    label: `release ${doc}`,
    next: {
      kind: 'confirm',
      warning: [
        `Release ${doc}? ${owner} finishes what is in flight and gives it up.`,
        'The next request for it makes some node its owner, perhaps the same.',
      ],
      request: { kind: 'release', doc },
    },
  };
  const moves = targets.map(({ nodeId, session, documents }) => ({
    label: `to ${nodeId} (${plural(documents, 'document')})`,
    next: {
      kind: 'confirm' as const,
      warning: [
        `Move ${doc} from ${owner} to ${nodeId}?`,
        'The epoch grows; no op and no request is lost on the way.',
      ],
      request: { kind: 'move' as const, doc, to: session, nodeId },
    },
  }));
  if (moves.length === 0) return [release];
  const move: Action = {
    label: `move ${doc}`,
    next: { kind: 'menu', title: `Move ${doc}`, actions: moves },
  };
  return [move, release];
}
