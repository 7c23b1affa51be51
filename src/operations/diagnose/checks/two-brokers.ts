import type { Check, Sight } from '../check.ts';
import { liveSessions } from '../cluster-facts.ts';

/** "Edits do not reach the other client": the two are not in one cluster. */
export const twoBrokers: Check = {
  code: 'TWO-BROKERS',
  title: 'every node that clients reach is in this cluster',
  why: 'Two nodes on two brokers, or under two prefixes, never hear each other, though both are healthy: edits of a client of one never reach a client of the other.',
  remedy: 'Give both nodes the same --url, --prefix and --store.',
  look(evidence) {
    if (evidence.places.length === 0) {
      return { skipped: 'name where clients connect: --client http://HOST:PORT', unasked: true };
    }
    const live = new Set(liveSessions(evidence).map(({ id }) => id));
    return evidence.places.flatMap(({ address, nodeId, session, error }): Sight[] => {
      if (error !== null) {
        const mend = [`curl -sS ${address}/`];
        return [{ severity: 'warning', seen: `${address} is no node: ${error}`, mend }];
      }
      if (session !== null && live.has(session)) return [];
      const { url, prefix } = evidence.target;
      return [
        {
          severity: 'critical',
          seen: `${nodeId} at ${address} is in another cluster than the one at ${url} under ${prefix}`,
          mend: [`backplane serve --node-id ${nodeId} --url ${url} --prefix ${prefix}`],
        },
      ];
    });
  },
};
