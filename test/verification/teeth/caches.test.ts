import { biteWith } from './support/bite.ts';
import { shortScenarios } from './support/short-scenarios.ts';

const { lostEvictions } = shortScenarios;

biteWith([
  {
    drill: 'a node that hears of no eviction',
    scenario: lostEvictions,
    teeth: { 'cache-look': 'stale-caches-end' },
  },
]);
