import type { Check } from './check.ts';
import { accessRules } from './checks/access-rules.ts';
import { brokerRole } from './checks/broker-role.ts';
import { brokerSpeed } from './checks/broker-speed.ts';
import { brokerVersion } from './checks/broker-version.ts';
import { clocks } from './checks/clocks.ts';
import { deafNode } from './checks/deaf-node.ts';
import { duplicateId } from './checks/duplicate-id.ts';
import { eviction } from './checks/eviction.ts';
import { foreignCluster } from './checks/foreign-cluster.ts';
import { foreignKeys } from './checks/foreign-keys.ts';
import { fullQueues } from './checks/full-queues.ts';
import { idleTimeout } from './checks/idle-timeout.ts';
import { leavings } from './checks/leavings.ts';
import { longLogs } from './checks/long-logs.ts';
import { loopLag } from './checks/loop-lag.ts';
import { memoryLeft } from './checks/memory-left.ts';
import { missingSubscribers } from './checks/missing-subscribers.ts';
import { nearMisses } from './checks/near-misses.ts';
import { needlessSubscribers } from './checks/needless-subscribers.ts';
import { nodeSettingsDiffer } from './checks/node-settings-differ.ts';
import { nodeVersions } from './checks/node-versions.ts';
import { nodesThere } from './checks/nodes-there.ts';
import { notReady } from './checks/not-ready.ts';
import { openServer } from './checks/open-server.ts';
import { outputBuffer } from './checks/output-buffer.ts';
import { persistence } from './checks/persistence.ts';
import { presenceDiffers } from './checks/presence-differs.ts';
import { quarantine } from './checks/quarantine.ts';
import { relayWaits } from './checks/relay-waits.ts';
import { replication } from './checks/replication.ts';
import { silentNode } from './checks/silent-node.ts';
import { slowSubscribers } from './checks/slow-subscribers.ts';
import { staleCaches } from './checks/stale-caches.ts';
import { twoBrokers } from './checks/two-brokers.ts';
import { volatileStore } from './checks/volatile-store.ts';

/**
 * Every check of the doctor, the broker first: what is wrong there explains much of the rest. A new
 * one is a file in `checks/` and a line here.
 */
export const checks: readonly Check[] = [
  ...[brokerSpeed, brokerVersion, brokerRole, eviction, memoryLeft, persistence, replication],
  ...[outputBuffer, idleTimeout, accessRules, openServer, slowSubscribers],
  ...[foreignCluster, foreignKeys],
  ...[nodesThere, silentNode, deafNode, notReady, duplicateId, nodeVersions, nodeSettingsDiffer],
  ...[clocks, loopLag, nearMisses],
  ...[leavings, longLogs, volatileStore, quarantine, missingSubscribers, needlessSubscribers],
  ...[presenceDiffers, staleCaches, relayWaits, fullQueues, twoBrokers],
];
