import { createHash } from 'node:crypto';
import { BackplaneError } from '../foundation/errors.ts';
import { directoryBuckets } from '../foundation/limits.ts';
import type { ClusterRecord, ClusterRecords } from '../ports/cluster-record.ts';
import type { Engine } from '../ports/engine.ts';
import type { Store } from '../ports/store.ts';
import { inboxChannel } from './channels.ts';
import { noPayload } from './frames.ts';
import type { NodeSettings } from './node-settings.ts';

/**
 * Tries what a node does all the time. A disk that is full or a right that is missing is found out
 * here, before anything is joined, and not by the first op of a peer.
 */
export async function proveAble({ bus }: Engine, store: Store): Promise<void> {
  await store.checkWritable();
  await bus.publish(inboxChannel('nobody'), noPayload);
}

/**
 * Agrees with the cluster on what all its nodes must have in common. Two nodes with different
 * stores would each keep half of a document; better that the second refuses to start.
 *
 * Throws CLUSTER_MISMATCH.
 */
export async function joinCluster(
  records: ClusterRecords,
  store: Store,
  settings: NodeSettings,
): Promise<ClusterRecord> {
  const storeIdentity = await store.identity();
  const { documentEngine } = settings;
  const proposal = {
    id: clusterIdOf(storeIdentity),
    buckets: directoryBuckets,
    storeIdentity,
    documentEngine,
  };
  const record = await records.agree(proposal);
  for (const [setting, ours, theirs] of [
    ['number of lease buckets', proposal.buckets, record.buckets],
    ['store', storeIdentity, record.storeIdentity],
    ['document engine', documentEngine, record.documentEngine],
  ] as const) {
    if (ours === theirs) continue;
    throw new BackplaneError(
      'CLUSTER_MISMATCH',
      `the cluster uses another ${setting} than this node: ${theirs}, not ${ours}`,
      { facts: { setting, ours, theirs } },
    );
  }
  return record;
}

/**
 * After the broker came back empty, what was agreed is gone too. Every node writes down again what
 * it knows; they all know the same, so it does not matter which is first.
 */
export async function agreeAgain(records: ClusterRecords, known: ClusterRecord): Promise<void> {
  const found = await records.agree(known);
  if (found.id === known.id && found.buckets === known.buckets) return;
  throw new BackplaneError('CLUSTER_MISMATCH', 'another cluster has taken this place', {
    facts: { ours: known.id, theirs: found.id },
  });
}

/** A cluster is whoever shares a store, so its id follows from the store and outlives the broker. */
function clusterIdOf(storeIdentity: string): string {
  return createHash('sha256').update(storeIdentity).digest('hex').slice(0, 12);
}

/** Short, the same for two nodes exactly when their settings are the same. */
export function configHashOf(settings: NodeSettings): string {
  const { dials, documentEngine, fastTakeover } = settings;
  const text = JSON.stringify([Object.entries(dials).sort(), documentEngine, fastTakeover]);
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
