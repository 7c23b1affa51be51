import { BackplaneError } from '../../foundation/errors.ts';
import type { RecentDocument } from '../documents/documents.ts';
import type { NodeMetrics } from '../node.ts';
import type { NodeParts } from '../node-parts.ts';

/** What a node says of itself every second to whoever watches: small, and out of memory only. */
export interface NodePulse extends NodeMetrics {
  readonly nodeId: string;
  /** How long ops and calls of its own peers took, as `LatencyCounts` has it. */
  readonly latencies: readonly number[];
  /** Null when nobody asked. */
  readonly documents: RecentDocuments | null;
}

export interface RecentDocuments {
  /** Documents it owns whose name matches. */
  readonly matching: number;
  /** Those used last, the latest first. */
  readonly rows: readonly RecentDocument[];
}

export interface PulseQuestion {
  readonly documents: { readonly contains: string; readonly limit: number } | null;
}

const documentsMax = 1_000;

/** Whatever arrives is checked here. */
export function readPulseQuestion(params: Readonly<Record<string, unknown>>): PulseQuestion {
  const { documents = null } = params;
  if (documents === null) return { documents: null };
  const { contains, limit } = documents as Record<string, unknown>;
  if (typeof contains !== 'string' || !Number.isSafeInteger(limit) || (limit as number) < 0) {
    throw new BackplaneError('REQUEST_INVALID', '"documents" is null or {contains, limit}');
  }
  return { documents: { contains, limit: Math.min(limit as number, documentsMax) } };
}

/** Touches neither broker nor store, so it costs the cluster one message, whatever it holds. */
export function nodePulse(
  nodeId: string,
  metrics: NodeMetrics,
  { documents, latencies }: Pick<NodeParts, 'documents' | 'latencies'>,
  question: PulseQuestion,
): NodePulse {
  const { contains, limit } = question.documents ?? { contains: '', limit: 0 };
  return {
    nodeId,
    ...metrics,
    latencies: latencies.read(),
    documents: question.documents && documents.recent(contains, limit),
  };
}
