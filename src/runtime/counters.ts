/** What the runtime counts, named the Prometheus way. Counters only grow. */
export class Counters {
  readonly #values = new Map<string, number>();

  add(name: CounterName, count = 1): void {
    this.#values.set(name, (this.#values.get(name) ?? 0) + count);
  }

  read(): Record<string, number> {
    return Object.fromEntries(counterNames.map((name) => [name, this.#values.get(name) ?? 0]));
  }
}

export const counterNames = [
  'ops_appended_total',
  'ops_duplicate_total',
  'appends_total',
  'appends_refused_total',
  'appends_ambiguous_total',
  'documents_acquired_total',
  'documents_lost_total',
  'documents_quarantined_total',
  'snapshots_saved_total',
  'snapshots_failed_total',
  'sessions_opened_total',
  'sessions_lost_total',
  'sessions_fenced_total',
  'renewals_failed_total',
  'leases_swept_total',
  'requests_sent_total',
  'requests_asked_again_total',
  'requests_handled_total',
  'requests_late_total',
  'requests_repeated_total',
  'replies_unexpected_total',
  'gaps_replayed_total',
  'frames_foreign_total',
  'frames_version_total',
  'frames_malformed_total',
  'awareness_sent_total',
  'subscriber_deaf_total',
  'sweep_failures_total',
  'cache_hits_total',
  'cache_misses_total',
  'cache_in_doubt_total',
  'cache_evictions_sent_total',
  'cache_evictions_heard_total',
  'cache_gaps_total',
  'cache_flushes_total',
  'relay_letters_local_total',
  'relay_letters_forwarded_total',
  'relay_letters_astray_total',
  'relay_redirects_total',
  'relay_redirects_refused_total',
  'relay_frames_dropped_total',
  'relay_senders_paused_total',
  'presence_writes_total',
  'presence_rereads_total',
  'presence_messages_total',
  'presence_invocations_total',
] as const;

export type CounterName = (typeof counterNames)[number];
