import type { BrokerCard } from './broker-folder.ts';
import type { BrokerProbe } from './broker-probe.ts';

/**
 * The card of a broker whose supervisor died while its engine lives on, else null.
 *
 * The run id must be the card's: without that, a Redis that somebody else runs on the port would be
 * taken for ours, and stopped when nobody uses it.
 */
export function orphanOf(probe: BrokerProbe, card: BrokerCard | null): BrokerCard | null {
  if (probe.state !== 'answering' || card === null) return null;
  return probe.facts.supervisors === 0 && probe.facts.runId === card.runId ? card : null;
}
