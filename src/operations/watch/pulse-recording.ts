import { BackplaneError } from '../../foundation/errors.ts';
import { parseIsoTime } from '../../foundation/iso-time.ts';
import { type NodeState, nodeStates } from '../inspect/list-nodes.ts';
import type { PulseEvent } from './pulse-events.ts';
import type { NodePulseReport, PulseReport, PulseTotals, TrendPoint } from './pulse-report.ts';
import type { RecordedLook } from './recorder.ts';

/** A recording that was opened: its curves are in memory, each look is read when it is wanted. */
export interface RecordedPulses {
  readonly cluster: string;
  readonly trend: readonly TrendPoint[];
  readonly events: readonly PulseEvent[];
  /** With the names that were kept last before it. Throws RECORDING_INVALID. */
  read(at: number): Promise<RecordedLook>;
  close(): Promise<void>;
}

/** The first line of a recording; every other line is a `RecordedLook`. */
export interface RecordingHeader {
  readonly type: 'backplane-recording';
  readonly schemaVersion: 1;
  readonly startedAt: string;
  /** The cluster it is of, as the recorder named it; safe to print. */
  readonly cluster: string;
}

export function recordingHeader(startedAt: string, cluster: string): RecordingHeader {
  return { type: 'backplane-recording', schemaVersion: 1, startedAt, cluster };
}

/** Throws RECORDING_INVALID. */
export function readRecordingHeader(line: string): RecordingHeader {
  const found = parseObject(line, 1);
  if (found.type !== 'backplane-recording') throw invalid(1, 'it is no recording of backplane top');
  if (found.schemaVersion !== 1) {
    throw invalid(1, `its version ${JSON.stringify(found.schemaVersion)} is unknown here`);
  }
  const { startedAt, cluster } = found;
  if (typeof startedAt !== 'string' || typeof cluster !== 'string') {
    throw invalid(1, 'the header lacks a time or a name');
  }
  return recordingHeader(startedAt, cluster);
}

/**
 * Of looks in order, the one nearest before or at a time of day, `03:12` or `03:12:30`: of several
 * days the last. Null when all are later in the day.
 */
export function lookAtTime(times: readonly string[], time: string): number | null {
  const timeOf = (at: string) => at.slice(11, 11 + time.length);
  let found: number | null = null;
  for (const [index, at] of times.entries()) {
    const isNearer = found === null || at.slice(11) >= (times[found] as string).slice(11);
    if (timeOf(at) <= time && isNearer) found = index;
  }
  return found;
}

/**
 * One look out of a recording. Files come from anywhere: what a screen relies on is checked, the
 * rest is taken as it is. Throws RECORDING_INVALID.
 */
export function readRecordedPulse(line: string, lineNumber: number): RecordedLook {
  const found = parseObject(line, lineNumber);
  const { at, overMs, totals, nodes, documents, directory, cost } = found;
  if (typeof at !== 'string' || parseIsoTime(at) === null) throw invalid(lineNumber, 'no time');
  if (!isObject(totals) || !isObject(totals.nodes)) throw invalid(lineNumber, 'no totals');
  if (!Array.isArray(nodes) || !nodes.every(isNode)) throw invalid(lineNumber, 'no nodes');
  return {
    at,
    overMs: numberOrNull(overMs),
    totals: readTotals(totals, totals.nodes),
    nodes: nodes as NodePulseReport[],
    documents: readDocuments(documents),
    directory: readDirectory(directory),
    cost: isObject(cost)
      ? (cost as unknown as PulseReport['cost'])
      : { brokerCommands: 0, tookMs: 0 },
  };
}

function readTotals(totals: Fields, counts: Fields): PulseTotals {
  const states = nodeStates.map((state) => [state, numberOrNull(counts[state]) ?? 0]);
  return {
    nodes: Object.fromEntries(states) as Record<NodeState, number>,
    documents: numberOrNull(totals.documents) ?? 0,
    connections: numberOrNull(totals.connections) ?? 0,
    opsPerSecond: numberOrNull(totals.opsPerSecond),
    requestsPerSecond: numberOrNull(totals.requestsPerSecond),
    awarenessPerSecond: numberOrNull(totals.awarenessPerSecond),
    presencePerSecond: numberOrNull(totals.presencePerSecond),
    p50Ms: numberOrNull(totals.p50Ms),
    p99Ms: numberOrNull(totals.p99Ms),
    brokerMs: numberOrNull(totals.brokerMs),
  };
}

function readDocuments(documents: unknown): PulseReport['documents'] {
  if (!isObject(documents) || !Array.isArray(documents.rows)) return null;
  const rows = documents.rows.filter((row) => isObject(row) && typeof row.doc === 'string');
  return { matching: numberOrNull(documents.matching) ?? rows.length, rows };
}

/** Recordings of before kept none. */
function readDirectory(directory: unknown): RecordedLook['directory'] {
  if (!isObject(directory) || !Array.isArray(directory.rows)) return null;
  const rows = directory.rows.filter(
    (row) => isObject(row) && typeof row.doc === 'string' && typeof row.state === 'string',
  );
  return { rows, next: typeof directory.next === 'string' ? directory.next : null };
}

function isNode(node: unknown): boolean {
  if (!isObject(node)) return false;
  const { nodeId, session, state, troubles } = node;
  const named = typeof nodeId === 'string' && typeof session === 'string' && isObject(troubles);
  return named && (nodeStates as readonly unknown[]).includes(state);
}

type Fields = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

function parseObject(line: string, lineNumber: number): Fields {
  try {
    const found: unknown = JSON.parse(line);
    if (isObject(found)) return found;
  } catch {
    // Told below: where it is wrong helps more than what the parser says.
  }
  throw invalid(lineNumber, 'it is not a JSON object');
}

function invalid(lineNumber: number, why: string): BackplaneError {
  return new BackplaneError('RECORDING_INVALID', `line ${lineNumber} of the recording: ${why}`);
}
