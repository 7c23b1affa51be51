import { createHash } from 'node:crypto';
import { BackplaneError } from '../foundation/errors.ts';
import { directoryBuckets } from '../foundation/limits.ts';
import type { ClusterRecord, ClusterRecords } from '../ports/cluster-record.ts';
import type { Engine } from '../ports/engine.ts';
import type { SessionRecord } from '../ports/sessions.ts';
import { type Store, volatileIdentity } from '../ports/store.ts';
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
 * What was agreed by nodes that kept everything in memory binds nobody once they are gone.
 *
 * Throws CLUSTER_MISMATCH.
 */
export async function joinCluster(
  records: ClusterRecords,
  store: Store,
  settings: NodeSettings,
  isDeserted: () => Promise<boolean> = async () => false,
): Promise<ClusterRecord> {
  const storeIdentity = await store.identity();
  const { documentEngine } = settings;
  const proposal = {
    id: clusterIdOf(storeIdentity),
    buckets: directoryBuckets,
    storeIdentity,
    documentEngine,
  };
  let record = await records.agree(proposal);
  const isVolatile = record.storeIdentity.startsWith(volatileIdentity);
  if (isVolatile && record.storeIdentity !== storeIdentity && (await isDeserted())) {
    record = await records.replace(record, proposal);
  }
  const [mismatch] = [
    storeIdentity === record.storeIdentity ? null : otherStore(storeIdentity, record),
    documentEngine === record.documentEngine ? null : otherEngine(documentEngine, record),
    proposal.buckets === record.buckets ? null : otherBuckets(proposal.buckets, record),
  ].filter((error) => error !== null);
  if (mismatch) throw mismatch;
  return record;
}

function otherStore(ours: string, { storeIdentity: theirs }: ClusterRecord): BackplaneError {
  const message = 'the cluster keeps its documents in another store than this node';
  return new BackplaneError('CLUSTER_MISMATCH', message, {
    remedy:
      'start it with the --store of the other nodes, or apart from them with another --prefix',
    facts: { setting: 'store', ours, theirs },
  });
}

function otherEngine(ours: string, { documentEngine: theirs }: ClusterRecord): BackplaneError {
  const message = `the documents of the cluster are of the engine ${theirs}, not ${ours}`;
  return new BackplaneError('CLUSTER_MISMATCH', message, {
    remedy: `start it with --engine ${theirs}, or apart from the cluster with another --prefix`,
    facts: { setting: 'document engine', ours, theirs },
  });
}

function otherBuckets(ours: number, { buckets: theirs }: ClusterRecord): BackplaneError {
  const message = `the directory of the cluster has ${theirs} buckets, not ${ours}`;
  return new BackplaneError('CLUSTER_MISMATCH', message, {
    remedy: 'start it with the version of the other nodes',
    facts: { setting: 'number of lease buckets', ours, theirs },
  });
}

/** Whether no session is left whose node still listens; one killed a moment ago does not. */
export async function isDeserted({ sessions, bus }: Engine): Promise<boolean> {
  return (await listening({ sessions, bus })).length === 0;
}

/** Live sessions whose node hears what is sent to it. */
export async function listening({
  sessions,
  bus,
}: Pick<Engine, 'sessions' | 'bus'>): Promise<SessionRecord[]> {
  const live = (await sessions.list()).filter(({ state }) => state === 'live');
  const receivers = await Promise.all(live.map(({ id }) => bus.receivers(inboxChannel(id))));
  return live.filter((_, index) => receivers[index] !== 0);
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
