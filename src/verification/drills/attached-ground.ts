import { BackplaneError } from '../../foundation/errors.ts';
import { repeat } from '../../ports/clock.ts';
import type { Engine, InspectableStore } from '../../ports/engine.ts';
import type { Visitor } from '../../runtime/visitor.ts';
import { AttachedInjector } from './attached-injector.ts';
import type { DrillDoors } from './drill-doors.ts';
import type { Ground } from './ground.ts';
import type { Recordable } from './history-recorder.ts';
import { localProcess } from './nodes/local-process.ts';
import { Warden } from './nodes/warden.ts';
import { ownerIn } from './owner-in.ts';
import { SessionDiary } from './session-diary.ts';

export interface AttachedGroundOrder {
  readonly engine: Engine;
  readonly visitor: Visitor;
  /** Closed by whoever gave it. */
  readonly store: () => Promise<InspectableStore>;
  /** Faults the user allows. */
  readonly allowed: readonly string[];
  readonly clusterName: string;
  /** The document that faults "on the owner" mean. */
  readonly doc: string;
  readonly record: (event: Recordable) => void;
}

const lookMs = 200;

/** Nobody listens to the store or the keys of somebody else's cluster: that would slow it down. */
const unjudged = [
  'no-write-below-epoch',
  'no-answer-below-epoch',
  'one-owner-per-epoch',
  'dead-are-gone',
  'living-are-kept',
  'nothing-left-behind',
  'stale-caches-end',
];

/** A cluster that exists. The drill adds peers and documents of its own, and what it was allowed to. */
export async function attachGround(order: AttachedGroundOrder, doors: DrillDoors): Promise<Ground> {
  const { engine, visitor } = order;
  const living = (await engine.sessions.list()).filter(({ state }) => state === 'live');
  const urls = living.flatMap(({ description }) => description.address ?? []);
  if (urls.length === 0) {
    throw new BackplaneError('NO_NODES', 'no node of this cluster takes peers');
  }
  const warden = await Warden.start(doors);
  const diary = new SessionDiary(order.record);
  const look = async () => diary.note(await engine.sessions.list());
  await look();
  // A look that fails is a look that was not taken: the next one tells the rest.
  const looking = repeat(
    doors.clock,
    () => lookMs,
    () => look().catch(() => {}),
  );
  const { clock, random } = doors;
  return {
    injector: new AttachedInjector({
      allowed: order.allowed,
      nodes: [...new Set(living.map(({ description }) => description.nodeId))],
      site: { engine, visitor, doc: order.doc, clock, random },
      processOf: (nodeId) => localProcess(living, nodeId),
      warden,
    }),
    broker: engine.name,
    logs: 'its own store',
    attached: order.clusterName,
    unjudged,
    urls,
    engine,
    practice: null,
    visitor: async () => visitor,
    store: order.store,
    ownerOf: (doc) => ownerIn(engine, doc),
    startAll: async () => {},
    catchUp: look,
    leave: async () => [],
    keys: null,
    close: async () => {
      looking.cancel();
      await warden.close();
    },
  };
}
