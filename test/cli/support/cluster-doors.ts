import type { Doors } from '../../../src/cli/context.ts';
import { examineBroker, openEngine } from '../../../src/composition.ts';
import { SystemRandom } from '../../../src/drivers/system/system-random.ts';
import { openVisitor } from '../../../src/runtime/visitor-runtime.ts';
import { realClock as clock } from '../../support/real-clock.ts';

/** The doors to a cluster that `main.ts` gives to whoever looks. */
export function clusterDoors(): Pick<Doors, 'openEngine' | 'examineBroker' | 'openVisitor'> {
  const random = new SystemRandom();
  return {
    openEngine: async (settings, logger) =>
      (await openEngine(settings, { clock, random, logger }, null)).engine,
    examineBroker: (settings, logger) => examineBroker(settings, { clock, random, logger }),
    openVisitor: (engine, logger, mayFence) =>
      openVisitor({ engine, clock, random, logger }, { mayFence }),
  };
}
