import type { Subscription } from '../ports/bus.ts';
import type { CacheNews } from './cache/cache-news.ts';
import type {
  Follower,
  FollowFrom,
  Following,
  OpReceipt,
  OpSubmission,
  RequestOptions,
  RequestReport,
  RequestTarget,
} from './reports.ts';

/**
 * One who speaks to a cluster without being a node: no session, no documents, no lease. Commands
 * use it. Looking through a visitor changes nothing.
 */
export interface Visitor {
  submit(doc: string, op: OpSubmission, options?: RequestOptions): Promise<OpReceipt>;
  request(
    target: RequestTarget,
    method: string,
    payload: Uint8Array,
    options?: RequestOptions,
  ): Promise<RequestReport>;
  /**
   * Asks a node to act as an operator wants: `controls.ts` lists what there is. These names are
   * out of reach for `request`, so no payload can name them.
   */
  control(
    session: string,
    name: string,
    params: unknown,
    options?: RequestOptions,
  ): Promise<unknown>;
  /** Follows through a live node's log; NO_NODES when there is none. */
  follow(doc: string, from: FollowFrom, follower: Follower): Promise<Following>;
  /** Hears evictions of a cache region, as its nodes do. */
  followCache(region: string, listen: (news: CacheNews) => void): Promise<Subscription>;
  close(): Promise<void>;
}
