import type { Probe } from './probe.ts';
import { brokerProbe } from './probes/broker-probe.ts';
import { cacheProbe } from './probes/cache-probe.ts';
import { canaryProbe } from './probes/canary-probe.ts';
import { leasesProbe } from './probes/leases-probe.ts';
import { nodesProbe } from './probes/nodes-probe.ts';
import { presenceProbe } from './probes/presence-probe.ts';
import { pubsubProbe } from './probes/pubsub-probe.ts';
import { relayProbe } from './probes/relay-probe.ts';
import { rpcProbe } from './probes/rpc-probe.ts';
import { storeProbe } from './probes/store-probe.ts';

/** What `check` can measure. A new one is a file in `probes/` and a line here. */
export const probes: readonly Probe[] = [
  ...[brokerProbe, nodesProbe, leasesProbe, pubsubProbe, rpcProbe, storeProbe],
  ...[presenceProbe, cacheProbe, relayProbe, canaryProbe],
];
