import { biteWith } from './support/bite.ts';
import { shortScenarios } from './support/short-scenarios.ts';

const { lostAnswers, refusedAppends, killedCommit } = shortScenarios;

biteWith([
  {
    drill: 'appends whose answer is lost',
    scenario: lostAnswers,
    teeth: { deduplication: 'applied-once' },
  },
  {
    drill: 'appends that the store refuses',
    scenario: refusedAppends,
    teeth: { 'ack-order': 'acked-is-kept' },
  },
  {
    drill: 'an owner that is killed before its commits',
    scenario: killedCommit,
    teeth: { 'ack-order': 'acked-is-kept' },
  },
]);
