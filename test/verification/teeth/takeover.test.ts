import { biteWith } from './support/bite.ts';
import { shortScenarios } from './support/short-scenarios.ts';

const { unreachableOwner, deadOwner, stoppedOwner } = shortScenarios;

biteWith([
  {
    drill: 'an owner that nobody can reach, and that lives',
    scenario: unreachableOwner,
    teeth: { 'beat-check': 'living-are-kept' },
  },
  {
    drill: 'the death of a node with many documents',
    scenario: deadOwner,
    teeth: { sweep: 'dead-are-gone' },
  },
  {
    drill: 'a node that is told to stop',
    scenario: stoppedOwner,
    teeth: { 'hand-over': 'recovery-in-time' },
  },
]);
