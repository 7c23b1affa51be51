import { mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BackplaneError } from '../../foundation/errors.ts';
import type { Engine, InspectableStore } from '../../ports/engine.ts';
import type { Visitor } from '../../runtime/visitor.ts';
import { attachGround } from './attached-ground.ts';
import { Drill, type DrillOrder, documentsOf } from './drill.ts';
import type { DrillDoors } from './drill-doors.ts';
import { type JudgedDrill, judgeDrill } from './judge-drill.ts';
import { type OwnGroundOrder, openOwnGround } from './own-ground.ts';
import type { Scenario } from './scenario.ts';

/** A cluster that exists, and what may be done to it. */
export interface Attachment {
  readonly engine: Engine;
  readonly visitor: Visitor;
  /** Closed by whoever gave it. */
  readonly store: () => Promise<InspectableStore>;
  readonly allowed: readonly string[];
  readonly clusterName: string;
}

export interface DrillWish {
  readonly scenario: Scenario;
  /** In the names of its documents, and unlike those of every other run. */
  readonly run: string;
  readonly seed: number;
  /** A broker of its own, or a cluster that exists. */
  readonly where: OwnGroundOrder['broker'] | Attachment;
  readonly history: string;
  readonly token: string | null;
  readonly replay: string;
}

/**
 * Rehearses a failure from its start to its verdict. `watch` is given the drill while it runs.
 * Throws INTERRUPTED when the signal ended it; then it leaves nothing behind but its history.
 */
export async function runDrill(
  wish: DrillWish,
  doors: DrillDoors,
  watch: (drill: Drill) => void,
  signal: AbortSignal,
): Promise<JudgedDrill> {
  await mkdir(dirname(wish.history), { recursive: true });
  const drill = new Drill(orderOf(wish, doors), doors);
  watch(drill);
  const done = await drill.run(signal);
  if (signal.aborted) {
    throw new BackplaneError('INTERRUPTED', 'the drill was interrupted; everything was taken back');
  }
  return judgeDrill(wish, done);
}

function orderOf(wish: DrillWish, doors: DrillDoors): DrillOrder {
  const { scenario, run, where } = wish;
  const { cluster, workload } = scenario;
  const [doc = ''] = documentsOf(run, workload);
  return {
    ...wish,
    openGround: (record) =>
      typeof where === 'string'
        ? openOwnGround({ cluster, broker: where, first: workload.ownedBy, doc, record }, doors)
        : attachGround({ ...where, doc, record }, doors),
  };
}

const historiesKept = 20;

/** Where a history goes when nobody says otherwise; the oldest ones make room for it. */
export async function defaultHistory(dataDir: string, name: string): Promise<string> {
  const folder = join(dataDir, 'drills');
  await mkdir(folder, { recursive: true });
  const known = (await readdir(folder)).filter((file) => file.endsWith('.history.jsonl')).sort();
  for (const file of known.slice(0, Math.max(0, known.length - historiesKept + 1))) {
    await rm(join(folder, file), { force: true });
  }
  return join(folder, `${name}.history.jsonl`);
}
