import { biteWith } from './support/bite.ts';
import { shortScenarios } from './support/short-scenarios.ts';

const { lateAppends, lateCommits, emptiedBroker, sleepingOwner, nappingOwner } = shortScenarios;

biteWith([
  {
    drill: 'appends that arrive when the document has another owner',
    scenario: lateAppends,
    teeth: { 'redis-fence': 'no-write-below-epoch' },
  },
  {
    drill: 'commits that come when the document has another owner',
    scenario: lateCommits,
    teeth: { 'sqlite-fence': 'no-write-below-epoch' },
  },
  {
    drill: 'a broker that forgets everything',
    scenario: emptiedBroker,
    teeth: { 'epoch-memory': 'epochs-grow' },
  },
  {
    drill: 'an owner that sleeps for long, and is asked meanwhile',
    scenario: sleepingOwner,
    teeth: { 'own-deadline': 'no-answer-below-epoch' },
  },
  {
    drill: 'an owner that sleeps for longer than its lease',
    scenario: nappingOwner,
    teeth: {
      'dead-stay-dead': 'living-come-back',
      'fenced-step-down': 'living-come-back',
      'new-session': 'living-come-back',
    },
  },
]);
