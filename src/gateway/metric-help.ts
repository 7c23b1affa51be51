import type { CounterName } from '../runtime/counters.ts';

/** What each number of a node means, for whoever reads it on a dashboard. */
export const counterHelp: Readonly<Record<CounterName, string>> = {
  ops_appended_total: 'Ops this node ordered and stored as owner.',
  ops_duplicate_total: 'Ops that had been stored before and were answered with their first seq.',
  appends_total: 'Batches of ops written to the store.',
  appends_refused_total: 'Appends the store refused because of a later owner or another end.',
  appends_ambiguous_total:
    'Appends whose outcome stayed unknown, so that the document was reloaded.',
  documents_acquired_total: 'Documents this node became the owner of.',
  documents_lost_total: 'Documents this node stopped owning without having released them.',
  documents_quarantined_total: 'Documents whose log had lost acknowledged ops.',
  snapshots_saved_total: 'Snapshots written to the store.',
  snapshots_failed_total: 'Snapshots that could not be written.',
  sessions_opened_total: 'Sessions opened: one at start, one more after each loss.',
  sessions_lost_total: 'Sessions of this node that ended without its doing.',
  sessions_fenced_total: 'Dead sessions of other nodes that this node fenced.',
  renewals_failed_total: 'Heartbeats that got no answer in time.',
  leases_swept_total: 'Leases of dead sessions this node removed.',
  requests_sent_total: 'Requests sent to other nodes.',
  requests_asked_again_total: 'Requests sent once more because no answer had come.',
  requests_handled_total: 'Requests of other nodes carried out here.',
  requests_late_total: 'Requests dropped because their deadline had passed.',
  requests_repeated_total: 'Requests that came again and were not run again.',
  replies_unexpected_total: 'Replies nobody waited for any more.',
  gaps_replayed_total: 'Gaps in what was heard of a document, closed from its log.',
  frames_foreign_total: 'Frames of another cluster on our channels.',
  frames_version_total: 'Frames in a version of the protocol unknown here.',
  frames_malformed_total: 'Frames that could not be read.',
  awareness_sent_total: 'Awareness states broadcast by this node.',
  subscriber_deaf_total: 'Times the subscriber connection was found not to deliver.',
  sweep_failures_total: 'Sweeps of dead sessions that failed and will be repeated.',
  cache_hits_total: 'Cached values served without a load.',
  cache_misses_total: 'Gets of a cache that had to load, or to wait for a load.',
  cache_in_doubt_total: 'Gets of a cache for which no recent proof against staleness existed.',
  cache_evictions_sent_total: 'Evictions this node announced to all others.',
  cache_evictions_heard_total: 'Announcements of evictions this node heard, its own among them.',
  cache_gaps_total: 'Times a cache region missed announcements.',
  cache_flushes_total: 'Times a cache region of this node was emptied because it may be stale.',
  relay_letters_local_total: 'Relay letters passed between two connections of this node.',
  relay_letters_forwarded_total: 'Relay letters sent to the node of the other side.',
  relay_letters_astray_total: 'Relay letters nobody was there for; their sender sends them again.',
  relay_redirects_total: "Browsers sent to the node of their workspace's daemon.",
  relay_redirects_refused_total:
    'Redirects not made because the host is on no list of allowed ones.',
  relay_frames_dropped_total:
    'Relay frames clients dropped from full queues, as they were told to.',
  relay_senders_paused_total: 'Times a relay connection was not read because its reader is slow.',
  presence_writes_total: 'Batches of changed connections written to the broker.',
  presence_rereads_total: "Times another node's connections were read again after a gap.",
  presence_messages_total: 'Messages handed to connections of this node.',
  presence_invocations_total: 'Invocations handed to connections of this node.',
};

const gaugeHelp: Readonly<Record<string, string>> = {
  cache_entries: 'Values in all cache regions of this node.',
  documents_owned: 'Documents this node owns now.',
  documents_followed: 'Documents somebody on this node follows now.',
  requests_pending: 'Requests to other nodes that wait for their answer.',
  connections: 'Peers connected to this node.',
  session_valid: '1 while this node may act as an owner.',
  subscriber_deaf: '1 while the subscriber connection does not deliver.',
  draining: '1 from the start of a drain.',
  relay_browsers: 'Browsers of workspaces connected to this node.',
  relay_daemons: 'Daemons of workspaces connected to this node.',
  relay_queued_bytes: 'Bytes connections of this node sent that have not left for their reader.',
};

export function helpOf(name: string): string {
  const known: Readonly<Record<string, string>> = { ...counterHelp, ...gaugeHelp };
  return known[name] ?? `The node's ${name.replaceAll('_', ' ')}.`;
}
