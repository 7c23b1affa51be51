import { biteWith } from './support/bite.ts';
import { shortScenarios } from './support/short-scenarios.ts';

const { lostMessages, lostLastMessages, lostRequests, stillCursors } = shortScenarios;

biteWith([
  {
    drill: 'a node that misses some of the ops',
    scenario: lostMessages,
    teeth: { 'gap-replay': 'deliveries-arrive' },
  },
  {
    drill: 'a node that misses the last op of many documents',
    scenario: lostLastMessages,
    teeth: { 'tail-check': 'seq-without-gap' },
  },
  {
    drill: 'requests that are lost',
    scenario: lostRequests,
    teeth: { 'request-deadline': 'ops-end' },
  },
  {
    drill: 'cursors that stand still',
    scenario: stillCursors,
    teeth: { 'awareness-repeat': 'awareness-converges' },
  },
]);
