import type { FaultKind } from './fault.ts';
import {
  brokerFailoverFault,
  brokerPauseFault,
  brokerRestartFault,
} from './faults/broker-faults.ts';
import { clockStepFault } from './faults/clock-faults.ts';
import { duplicateNodeIdFault } from './faults/identity-faults.ts';
import {
  bandwidthFault,
  cutFault,
  deafFault,
  dropChannelFault,
  halfOpenFault,
  latencyFault,
  oneWayFault,
  refuseCommandFault,
  resetFault,
  slowCommandFault,
  wedgeFault,
} from './faults/network-faults.ts';
import { blockFault, killFault, pauseFault, terminateFault } from './faults/process-faults.ts';
import { storeFullFault, storeRefuseFault } from './faults/store-faults.ts';

/** Every way there is to break a cluster of one's own, in the order of help. */
export const faultBook: readonly FaultKind[] = [
  killFault,
  terminateFault,
  pauseFault,
  blockFault,
  clockStepFault,
  duplicateNodeIdFault,
  cutFault,
  halfOpenFault,
  resetFault,
  latencyFault,
  bandwidthFault,
  oneWayFault,
  deafFault,
  wedgeFault,
  dropChannelFault,
  slowCommandFault,
  refuseCommandFault,
  brokerRestartFault,
  brokerPauseFault,
  brokerFailoverFault,
  storeRefuseFault,
  storeFullFault,
];
