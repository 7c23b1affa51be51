import { RecentAcks } from './recent-acks.ts';

/** What became of the load so far. */
export class LoadCounts {
  sent = 0;
  acknowledged = 0;
  failed = 0;
  /** Failed, and may be in the log all the same. */
  doubtful = 0;
  skipped = 0;
  underWay = 0;
  deliveries = 0;
  awareness = 0;
  requestsSent = 0;
  requestsAnswered = 0;
  requestsFailed = 0;
  requestsUnderWay = 0;
  readonly recent = new RecentAcks();
}
