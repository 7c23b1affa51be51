import { biteWith } from './support/bite.ts';
import { shortScenarios } from './support/short-scenarios.ts';

const { lostChanges, deadHolder, sleepingHolder } = shortScenarios;

biteWith([
  {
    drill: 'a node that hears of no connection',
    scenario: lostChanges,
    teeth: { 'presence-compare': 'group-changes-kept', 'group-order': 'group-changes-kept' },
  },
  {
    drill: 'connections of a node that is killed',
    scenario: deadHolder,
    teeth: { 'presence-death': 'presence-converges' },
  },
  {
    drill: 'connections of a node that sleeps',
    scenario: sleepingHolder,
    teeth: { 'presence-again': 'presence-converges' },
  },
]);
