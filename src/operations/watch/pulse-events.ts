import type { NodeState } from '../inspect/list-nodes.ts';
import type { NodePulseReport, PulseReport } from './pulse-report.ts';

/** Something that happened between two looks at a cluster. */
export interface PulseEvent {
  readonly at: string;
  readonly severity: 'info' | 'warning' | 'bad';
  /** Null when it is about the cluster as a whole. */
  readonly nodeId: string | null;
  readonly text: string;
}

type Told = Omit<PulseEvent, 'at'>;

/** What a difference between two looks means, in words. The same two looks tell the same. */
export function pulseEvents(before: PulseReport | null, now: PulseReport): PulseEvent[] {
  if (before === null) return [];
  const known = new Map(before.nodes.map((node) => [node.session, node]));
  const told = now.nodes.flatMap((node) => {
    const earlier = known.get(node.session);
    known.delete(node.session);
    return earlier ? changes(earlier, node) : arrival(before, node);
  });
  for (const gone of known.values()) {
    if (gone.state === 'dead') continue;
    told.push(tell('info', gone.nodeId, `${gone.nodeId} has left`));
  }
  // What two sessions of one name tell alike is told once.
  const once = new Map(told.map((each) => [each.text, each]));
  return [...once.values()].map((each) => ({ at: now.at, ...each }));
}

function arrival(before: PulseReport, node: NodePulseReport): Told[] {
  if (node.state === 'dead') return [tell('bad', node.nodeId, stateWords(node))];
  const cameBack = before.nodes.some(({ nodeId }) => nodeId === node.nodeId);
  const words = cameBack ? 'opened a new session' : 'has joined';
  const told = [tell('info', node.nodeId, `${node.nodeId} ${words}`)];
  return node.duplicate ? [...told, duplicate(node)] : told;
}

function changes(earlier: NodePulseReport, node: NodePulseReport): Told[] {
  const { nodeId } = node;
  const told: Told[] = [];
  if (earlier.state !== node.state) {
    told.push(tell(severityOf(node.state), nodeId, stateWords(node)));
  }
  if (node.duplicate && !earlier.duplicate) told.push(duplicate(node));
  if (earlier.answered && !node.answered && node.state === 'live') {
    told.push(tell('warning', nodeId, `${nodeId} does not answer`));
  }
  if (!earlier.answered && node.answered) {
    told.push(tell('info', nodeId, `${nodeId} answers again`));
  }
  for (const [name, count] of Object.entries(node.troubles)) {
    const words = troubleWords[name];
    if (words) told.push(tell(words.severity, nodeId, `${nodeId} ${words.text(count)}`));
  }
  return told;
}

function tell(severity: Told['severity'], nodeId: string, text: string): Told {
  return { severity, nodeId, text };
}

function duplicate({ nodeId }: NodePulseReport): Told {
  return tell('bad', nodeId, `two live processes call themselves ${nodeId}`);
}

function severityOf(state: NodeState): Told['severity'] {
  if (state === 'dead') return 'bad';
  return state === 'silent' || state === 'deaf' ? 'warning' : 'info';
}

function stateWords({ nodeId, state, cause }: NodePulseReport): string {
  switch (state) {
    case 'live':
      return `${nodeId} is live again`;
    case 'silent':
      return `${nodeId} missed two heartbeats`;
    case 'deaf':
      return `${nodeId} does not hear its own subscriptions`;
    case 'draining':
      return `${nodeId} hands its documents over and stops`;
    case 'dead':
      return `${nodeId} is dead: its session ${cause === 'fenced' ? 'was fenced' : 'expired'}`;
  }
}

interface TroubleWords {
  readonly severity: Told['severity'];
  readonly text: (count: number) => string;
}

const some = (count: number, thing: string) => `${count} ${thing}${count === 1 ? '' : 's'}`;
const warning = (text: TroubleWords['text']): TroubleWords => ({ severity: 'warning', text });
const bad = (text: TroubleWords['text']): TroubleWords => ({ severity: 'bad', text });

/** A new trouble counter without words here is a trouble nobody is told of; a test compares them. */
export const troubleWords: Readonly<Record<string, TroubleWords>> = {
  documents_lost_total: warning((n) => `lost ${some(n, 'document')} it owned`),
  documents_quarantined_total: bad((n) => `quarantined ${some(n, 'document')}: the log lost ops`),
  appends_refused_total: warning((n) => `had ${some(n, 'append')} refused by the store`),
  appends_ambiguous_total: warning((n) => `does not know the outcome of ${some(n, 'append')}`),
  snapshots_failed_total: warning((n) => `failed to save ${some(n, 'snapshot')}`),
  sessions_lost_total: bad((n) => `lost its session (${n})`),
  sessions_fenced_total: warning((n) => `fenced ${some(n, 'dead session')}`),
  renewals_failed_total: warning((n) => `got no answer to ${some(n, 'heartbeat')}`),
  requests_late_total: warning((n) => `dropped ${some(n, 'request')} past the deadline`),
  gaps_replayed_total: { severity: 'info', text: (n) => `closed ${some(n, 'gap')} from the log` },
  frames_foreign_total: bad((n) => `heard ${some(n, 'frame')} of another cluster`),
  frames_version_total: bad((n) => `heard ${some(n, 'frame')} of an unknown version`),
  frames_malformed_total: bad((n) => `heard ${some(n, 'frame')} it could not read`),
  subscriber_deaf_total: bad((n) => `was found deaf (${n})`),
  sweep_failures_total: warning((n) => `failed to sweep a dead session (${n})`),
};
