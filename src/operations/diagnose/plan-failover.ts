import { protocol } from '../../foundation/limits.ts';
import type { NodeSelfReport } from '../../runtime/health/self-report.ts';

/** How long a document is not served after one kind of failure, by the settings that run. */
export interface FailurePlan {
  readonly failure: string;
  /** What happens, one step after the other. */
  readonly story: string;
  readonly typicalMs: number;
  readonly worstMs: number;
  /** The setting that the worst case is mostly made of, as a flag; null: it is fixed. */
  readonly dominatedBy: string | null;
  readonly valueMs: number;
  /** By a drill; null when none was run, or it proved nothing. */
  readonly measuredMs: number | null;
}

export interface FailoverPlan {
  readonly nodes: number;
  /** The broker's round trip, as it was measured for this plan. */
  readonly roundTripMs: number;
  readonly settingsOf: string;
  readonly failures: readonly FailurePlan[];
}

/** `fence`, `load` and `confirm` and what is around them: so many round trips, one after the other. */
const takeoverRoundTrips = 8;
/** Reading back the ops since the last snapshot. */
const replayMsPerOp = 0.05;
const reconnectMsMax = 750;
/** A request whose answer was lost is asked again after this (`requests/requester.ts`). */
const askAgainMs = 500;
/** A peer of the node that died tries others; two attempts take at most this (`client/connect.ts`). */
const peerReturnMs = 250;

/**
 * From the settings of a running cluster to typical and worst times. The formulas are those of the
 * design; what is measured by drills must not be beyond them.
 */
export function planFailover(
  report: NodeSelfReport,
  facts: { readonly nodes: number; readonly roundTripMs: number },
): FailoverPlan {
  const { dials, nodeId } = report;
  const takeoverMs = takeoverRoundTrips * facts.roundTripMs + dials.snapshotOps * replayMsPerOp;
  const plans = [
    killed(report, takeoverMs),
    stuck(report, takeoverMs),
    cutOff(report, takeoverMs),
    brokerRestarted(takeoverMs),
    drained(takeoverMs),
    deaf(),
  ];
  return {
    nodes: facts.nodes,
    roundTripMs: Math.round(facts.roundTripMs * 100) / 100,
    settingsOf: nodeId,
    failures: plans.map((plan) => ({ ...plan, ...rounded(plan), measuredMs: null })),
  };
}

type Plan = Omit<FailurePlan, 'measuredMs'>;

function rounded({ typicalMs, worstMs, valueMs }: Plan) {
  const whole = (ms: number) => Math.round(ms);
  return { typicalMs: whole(typicalMs), worstMs: whole(worstMs), valueMs: whole(valueMs) };
}

function killed({ dials, fastTakeover }: NodeSelfReport, takeoverMs: number): Plan {
  const failure = 'owner killed';
  if (!fastTakeover) {
    const worstMs = dials.leaseTtlMs + takeoverMs;
    const story = 'with --wait-for-expiry its session must run out first';
    const typicalMs = worstMs - dials.heartbeatMs / 2;
    return {
      failure,
      story,
      typicalMs,
      worstMs,
      dominatedBy: '--lease-ttl',
      valueMs: dials.leaseTtlMs,
    };
  }
  const noticedMs = protocol.presencePollMs;
  return {
    failure,
    story:
      'the next request finds nobody on its inbox, waits the grace, fences it and takes over; at worst, an answer was lost on the way, or the peer was connected to the dead node itself',
    typicalMs: noticedMs / 2 + dials.takeoverGraceMs + takeoverMs,
    worstMs: 2 * noticedMs + dials.takeoverGraceMs + 2 * takeoverMs + askAgainMs + peerReturnMs,
    ...(dials.takeoverGraceMs >= askAgainMs
      ? { dominatedBy: '--takeover-grace', valueMs: dials.takeoverGraceMs }
      : { dominatedBy: null, valueMs: askAgainMs }),
  };
}

function stuck({ dials }: NodeSelfReport, takeoverMs: number): Plan {
  // A sweep comes every 0.75 to 1.25 heartbeats, and the last beat was up to one ago.
  const bySilence = dials.nodeTimeoutMs + 1.25 * dials.heartbeatMs;
  const isByTtl = dials.leaseTtlMs < bySilence;
  const worstMs = Math.min(bySilence, dials.leaseTtlMs) + takeoverMs;
  return {
    failure: 'owner stands still',
    story:
      'its inbox still has a listener, so only its silence tells: it is given up, or its session runs out',
    typicalMs: Math.max(0, worstMs - dials.heartbeatMs),
    worstMs,
    dominatedBy: isByTtl ? '--lease-ttl' : '--node-timeout',
    valueMs: isByTtl ? dials.leaseTtlMs : dials.nodeTimeoutMs,
  };
}

function cutOff(report: NodeSelfReport, takeoverMs: number): Plan {
  const { dials, fastTakeover } = report;
  const plan = stuck(report, takeoverMs);
  const quickMs = fastTakeover ? dials.takeoverGraceMs + takeoverMs : plan.typicalMs;
  return {
    ...plan,
    failure: 'owner cut off from the broker',
    story:
      'at once if the broker sees its connections end; as one that stands still if packets just vanish',
    typicalMs: quickMs,
  };
}

function brokerRestarted(takeoverMs: number): Plan {
  return {
    failure: 'broker restarted',
    story:
      'every node connects again with a growing pause, and renews its session at once; owners stay owners',
    typicalMs: reconnectMsMax / 2 + takeoverMs,
    worstMs: reconnectMsMax + protocol.renewalTimeoutMs + takeoverMs,
    dominatedBy: null,
    valueMs: protocol.renewalTimeoutMs,
  };
}

function drained(takeoverMs: number): Plan {
  return {
    failure: 'node stopped in order',
    story: 'each document is handed to a live node, and requests wait for it meanwhile',
    typicalMs: takeoverMs,
    worstMs: 2 * takeoverMs + protocol.presencePollMs,
    dominatedBy: null,
    valueMs: protocol.presencePollMs,
  };
}

function deaf(): Plan {
  // Two probes must be missed, and the third finds it out; then a new connection.
  const worstMs = 3 * protocol.selfProbeMs + protocol.renewalTimeoutMs;
  return {
    failure: 'owner goes deaf',
    story: 'it misses its own probes, and makes its subscriber connection anew',
    typicalMs: 2.5 * protocol.selfProbeMs,
    worstMs,
    dominatedBy: null,
    valueMs: protocol.selfProbeMs,
  };
}
