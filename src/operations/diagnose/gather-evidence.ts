import { asBackplaneError, BackplaneError, isBackplaneError } from '../../foundation/errors.ts';
import { isoTime } from '../../foundation/iso-time.ts';
import { limits } from '../../foundation/limits.ts';
import { type Clock, sleep } from '../../ports/clock.ts';
import type { Engine } from '../../ports/engine.ts';
import type { BrokerExamination } from '../../ports/examination.ts';
import type { ChannelRow } from '../../ports/inspector.ts';
import type { SessionRecord } from '../../ports/sessions.ts';
import type { DocumentHead } from '../../ports/store.ts';
import { inboxChannel } from '../../runtime/channels.ts';
import type { NodeSelfReport } from '../../runtime/health/self-report.ts';
import type { Visitor } from '../../runtime/visitor.ts';
import { askAnyNode } from '../inspect/ask-any-node.ts';
import { listCaches } from '../inspect/list-caches.ts';
import { listRelay } from '../inspect/list-relay.ts';
import type {
  ClientPlace,
  Evidence,
  EvidenceTarget,
  NodeAnswer,
  Refusal,
  Sample,
} from './evidence.ts';
import { groupLeases } from './group-leases.ts';
import { findPresenceTrouble, presenceSettleMs } from './presence-trouble.ts';

export interface EvidenceSources {
  readonly clock: Clock;
  examineBroker(): Promise<BrokerExamination | null>;
  engine(): Promise<Engine>;
  visitor(): Promise<Visitor>;
  /** Where clients connect, each already asked who is there. */
  places(): Promise<ClientPlace[]>;
}

export interface GatherOptions {
  readonly takenBy: string;
  readonly target: EvidenceTarget;
  readonly signal: AbortSignal;
  /** How long a node may take to answer. */
  readonly patienceMs: number;
}

const channelsMax = 20_000;
const clientRowsMax = 2_000;
const documentsMax = 5_000;
const documentsKept = 100;

/**
 * Looks at everything once, and changes nothing. What is refused by a right is left out and told
 * in `refusal`; throws only when nobody answers: BACKPLANE_UNREACHABLE, AUTH_FAILED.
 */
export async function gatherEvidence(
  sources: EvidenceSources,
  options: GatherOptions,
): Promise<Evidence> {
  const broker = await sources.examineBroker();
  const about = {
    kind: 'backplane-evidence',
    schemaVersion: 1,
    takenAt: isoTime(sources.clock.wallMs()) ?? '',
    takenBy: options.takenBy,
    target: options.target,
    broker,
  } as const;
  const places = await sources.places();
  try {
    return { ...about, refusal: null, places, ...(await gatherCluster(sources, options)) };
  } catch (error) {
    // A broker that could be examined answers: what is refused now is a matter of rights.
    if (
      broker === null ||
      !isBackplaneError(error, 'PERMISSION_DENIED', 'SERVER_UNSUPPORTED', 'FRAME_INVALID')
    )
      throw error;
    return { ...about, refusal: refusalOf(error), places, ...nothingSeen };
  }
}

const emptySample = { rows: [], counted: 0, truncated: false };
const nothingSeen = {
  ...{ cluster: null, sessions: [], nodes: [] },
  ...{ channels: emptySample, leases: emptySample, documents: emptySample },
  ...{ presence: emptySample, caches: emptySample, workspaces: emptySample },
};

async function gatherCluster(sources: EvidenceSources, options: GatherOptions) {
  const engine = await sources.engine();
  const cluster = await engine.clusterRecords.read();
  if (cluster === null) return nothingSeen;
  const sessions = await engine.sessions.list();
  const visitor = await sources.visitor();
  const live = sessions.filter(({ state }) => state === 'live');
  const nodes = await Promise.all(
    live.map((record) => askNode({ ...sources, engine, visitor }, record, options)),
  );
  const heartbeatMs = nodes.find(({ report }) => report !== null)?.report?.dials.heartbeatMs;
  const settle = () => sleep(sources.clock, 3 * (heartbeatMs ?? 1_000), options.signal);
  return {
    ...nothingSeen,
    cluster,
    sessions,
    nodes,
    channels: await countChannels(engine),
    leases: await groupLeases(engine, settle),
    documents: live.length > 0 ? await longestLogs(engine, visitor, options) : emptySample,
    ...(live.length > 0 && (await gatherClients(sources, { engine, visitor }, settle, options))),
  };
}

/** What there is around connections, caches and workspaces. The last node may go meanwhile. */
async function gatherClients(
  { clock }: EvidenceSources,
  door: { readonly engine: Engine; readonly visitor: Visitor },
  nodesSettle: () => Promise<void>,
  { patienceMs, signal }: GatherOptions,
) {
  const { engine, visitor } = door;
  const options = { timeoutMs: patienceMs, signal };
  const settle = async () => {
    await Promise.all([nodesSettle(), sleep(clock, presenceSettleMs, signal)]);
  };
  try {
    const presence = await findPresenceTrouble({ ...door, settle }, null, options);
    const caches = await listCaches({ ...engine, visitor }, options);
    const workspaces = await listRelay({ ...engine, visitor }, null, options);
    return { presence, caches: sampleOf(caches.rows), workspaces: sampleOf(workspaces.rows) };
  } catch (error) {
    if (isBackplaneError(error, 'NO_NODES')) return {};
    throw error;
  }
}

function sampleOf<Row>(rows: readonly Row[]): Sample<Row> {
  return {
    rows: rows.slice(0, clientRowsMax),
    counted: rows.length,
    truncated: rows.length > clientRowsMax,
  };
}

async function askNode(
  { engine, visitor, clock }: { engine: Engine; visitor: Visitor; clock: Clock },
  { id, description }: SessionRecord,
  { patienceMs, signal }: GatherOptions,
): Promise<NodeAnswer> {
  const about = {
    session: id,
    nodeId: description.nodeId,
    receivers: await engine.bus.receivers(inboxChannel(id)),
  };
  const startedMs = clock.monotonicMs();
  const sentAtMs = clock.wallMs();
  try {
    const params = { probe: true };
    const report = await visitor.control(id, 'node.report', params, {
      timeoutMs: patienceMs,
      signal,
    });
    const latencyMs = clock.monotonicMs() - startedMs;
    const told = report as NodeSelfReport;
    // The readiness it tried before it answered takes time: of the way there and back, half.
    const tookMs = Math.max(
      0,
      ...(told.readiness?.checks.map(({ name, tookMs: ms }) =>
        name === 'subscriber' ? 0 : (ms ?? 0),
      ) ?? []),
    );
    const clockAheadMs = Math.round(
      told.wallMs - (sentAtMs + latencyMs - (latencyMs - tookMs) / 2),
    );
    return {
      ...about,
      latencyMs: Math.round(latencyMs * 100) / 100,
      failure: null,
      report: told,
      clockAheadMs,
    };
  } catch (thrown) {
    const { code } = asBackplaneError(thrown);
    return { ...about, latencyMs: null, failure: code, report: null, clockAheadMs: null };
  }
}

async function countChannels({ inspector }: Engine): Promise<Sample<ChannelRow>> {
  const rows: ChannelRow[] = [];
  for await (const page of inspector.channels()) {
    rows.push(...page);
    if (rows.length > channelsMax)
      return { rows: rows.slice(0, channelsMax), counted: rows.length, truncated: true };
  }
  return { rows, counted: rows.length, truncated: false };
}

/** Those with the most ops after their last snapshot. */
async function longestLogs(
  { sessions }: Engine,
  visitor: Visitor,
  { patienceMs, signal }: GatherOptions,
): Promise<Sample<DocumentHead>> {
  let kept: DocumentHead[] = [];
  let counted = 0;
  let from: string | null = null;
  do {
    let page: { documents: DocumentHead[]; next: string | null };
    try {
      const params = { from, limit: limits.readOpsMax };
      const options = { timeoutMs: patienceMs, signal };
      page = (await askAnyNode({ sessions, visitor }, 'docs.page', params, options)) as typeof page;
    } catch (error) {
      if (!(error instanceof BackplaneError)) throw error;
      return { rows: kept, counted, truncated: true };
    }
    counted += page.documents.length;
    kept = [...kept, ...page.documents]
      .sort((a, b) => behind(b) - behind(a))
      .slice(0, documentsKept);
    from = page.next;
  } while (from !== null && counted < documentsMax);
  return { rows: kept, counted, truncated: from !== null };
}

function behind({ seq, snapshotSeq }: DocumentHead): number {
  return seq - snapshotSeq;
}

function refusalOf({ code, message, remedy }: BackplaneError): Refusal {
  return { code, message, remedy };
}
