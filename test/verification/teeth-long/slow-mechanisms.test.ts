import { biteWith } from '../teeth/support/bite.ts';
import { shortScenarios } from '../teeth/support/short-scenarios.ts';

const { wedgedOwner, lostLastMessages } = shortScenarios;

/** Mechanisms that take their time: they notice what nothing else shows. Run by `npm run drills`. */
biteWith([
  {
    drill: 'an owner that goes deaf',
    scenario: wedgedOwner,
    teeth: { 'self-probe': 'recovery-in-time' },
  },
  {
    drill: 'a node that misses the last op of many documents',
    scenario: lostLastMessages,
    teeth: { 'tail-check': 'seq-without-gap' },
  },
]);
