import { formatDuration } from '../../../foundation/duration.ts';
import type { Check, Sight } from '../check.ts';

const noteworthyMs = 1_000;

/** No clock decides who owns what; people and logs go by them all the same. */
export const clocks: Check = {
  code: 'CLOCKS',
  title: 'every clock shows the same time',
  why: 'Ownership does not depend on wall clocks, but a story pieced together from logs does, and so do tokens and certificates.',
  remedy: 'Have the machine set its clock by NTP.',
  look(evidence) {
    const sights: Sight[] = [];
    const tell = (who: string, aheadMs: number, host: string | null) => {
      if (Math.abs(aheadMs) < noteworthyMs) return;
      const way = aheadMs > 0 ? 'ahead of' : 'behind';
      const command = 'sudo timedatectl set-ntp true';
      sights.push({
        severity: 'warning',
        seen: `the clock of ${who} is ${formatDuration(Math.abs(aheadMs))} ${way} the one here`,
        mend: [host === null ? command : `ssh ${host} ${command}`],
      });
    };
    const { broker } = evidence;
    if (broker && broker.clockAheadMs !== null)
      tell('the broker', broker.clockAheadMs, broker.where.host);
    for (const { nodeId, clockAheadMs, session } of evidence.nodes) {
      const address =
        evidence.sessions.find(({ id }) => id === session)?.description.address ?? null;
      if (clockAheadMs !== null) tell(nodeId, clockAheadMs, address && new URL(address).hostname);
    }
    return sights;
  },
};
