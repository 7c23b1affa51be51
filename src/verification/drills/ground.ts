import type { Engine, InspectableStore } from '../../ports/engine.ts';
import type { KeyRow } from '../../ports/tap.ts';
import type { Visitor } from '../../runtime/visitor.ts';
import type { Injector } from './injector.ts';
import type { PracticePlace } from './practice.ts';

/** The cluster a drill is done to: one started for it, or one that exists. */
export interface Ground {
  readonly injector: Injector;
  /** `Redis 7.0.15`, and what keeps the logs. */
  readonly broker: string;
  readonly logs: string;
  /** The name of the cluster that existed before; null for one of our own. */
  readonly attached: string | null;
  /** Laws it gives no data for. */
  readonly unjudged: readonly string[];
  /** Where peers connect. */
  readonly urls: readonly string[];
  readonly engine: Engine;
  /** Where its nodes have caches that can be asked; null for a cluster that existed before. */
  readonly practice: PracticePlace | null;
  /** One who asks its nodes. Opened when it is first asked for. */
  visitor(): Promise<Visitor>;
  /** Opened when it is first asked for. */
  store(): Promise<InspectableStore>;
  /** The node that owns the document by the directory, if its session lives. */
  ownerOf(doc: string): Promise<string | null>;
  /** Starts the nodes that do not run yet. */
  startAll(): Promise<void>;
  /** Until everything that was done up to now is in the history. */
  catchUp(): Promise<void>;
  /** Stops every node in good order and answers what went wrong; a cluster that existed goes on. */
  leave(): Promise<string[]>;
  /** What the broker holds; null where that is none of our business. */
  readonly keys: (() => AsyncIterable<KeyRow[]>) | null;
  /** Ends and removes everything the drill brought. Twice is once. */
  close(): Promise<void>;
}
