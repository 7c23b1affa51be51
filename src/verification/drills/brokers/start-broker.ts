import { BackplaneError } from '../../../foundation/errors.ts';
import { EmbeddedProcessBroker, type EmbeddedProgram } from './embedded-process-broker.ts';
import type { BrokerTools, OwnedBroker, ServerBinary } from './owned-broker.ts';
import { PairBroker } from './pair-broker.ts';
import { RedisBroker } from './redis-broker.ts';

/** `pair`: a primary and a replica. `binary`: what is installed here, or null. */
export type BrokerPlan =
  | { readonly kind: 'redis' | 'pair'; readonly binary: ServerBinary | null }
  | ({ readonly kind: 'embedded' } & EmbeddedProgram);

/**
 * A broker on a free port of loopback, empty, answering when the promise resolves. INCONCLUSIVE
 * when it takes a server that is not installed.
 */
export async function startBroker(plan: BrokerPlan, tools: BrokerTools): Promise<OwnedBroker> {
  if (plan.kind === 'embedded') return EmbeddedProcessBroker.start(plan, tools);
  const { binary } = plan;
  if (binary === null) {
    const what = 'this drill needs a Redis, and neither redis-server nor valkey-server is on PATH';
    throw new BackplaneError('INCONCLUSIVE', what, {
      remedy: 'install Redis 6.2 or Valkey 7.2, or newer',
    });
  }
  return plan.kind === 'pair' ? PairBroker.start(binary, tools) : RedisBroker.start(binary, tools);
}
