import { faultBook } from './fault-book.ts';
import { drainFault, operatorFaults } from './faults/operator-faults.ts';
import type { ScenarioFault } from './step-schema.ts';

/** Every fault that a scenario can name, whether or not it can be done to the cluster at hand. */
export const knownFaults: readonly ScenarioFault[] = [...faultBook, ...operatorFaults, drainFault];
