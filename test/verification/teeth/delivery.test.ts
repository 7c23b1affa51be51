import { biteWith } from './support/bite.ts';
import { shortScenarios } from './support/short-scenarios.ts';

const { lostMessages, lostRequests, stillCursors, lostFarewells } = shortScenarios;

biteWith([
  {
    drill: 'a node that misses some of the ops',
    scenario: lostMessages,
    teeth: { 'gap-replay': 'deliveries-arrive' },
  },
  {
    drill: 'requests that are lost',
    scenario: lostRequests,
    teeth: { 'request-end': 'ops-end' },
  },
  {
    drill: 'cursors that stand still',
    scenario: stillCursors,
    teeth: { 'awareness-repeat': 'awareness-converges' },
  },
  {
    drill: 'guests that leave where nobody hears it',
    scenario: lostFarewells,
    teeth: { 'awareness-expiry': 'awareness-converges' },
  },
]);
