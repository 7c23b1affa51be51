import type { Clock } from '../../../ports/clock.ts';
import type { HistoryRecorder } from '../history-recorder.ts';
import type { LoadCounts } from './load-counts.ts';
import type { Standstill } from './standstill.ts';

/** What every part of the load works with. */
export interface LoadSite {
  readonly recorder: Pick<HistoryRecorder, 'record'>;
  readonly clock: Clock;
  readonly counts: LoadCounts;
  readonly standstill: Standstill;
  readonly requestTimeoutMs: number;
}
