import { biteWith } from './support/bite.ts';
import { rewindStore } from './support/rewind-store.ts';
import { shortScenarios } from './support/short-scenarios.ts';

const { lostAnswers, refusedAppends, calm } = shortScenarios;

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
    drill: 'a store that is put back to a moment ago',
    scenario: calm,
    interfere: rewindStore,
    // What the store lost is lost; what matters is that nobody goes on from there.
    given: ['acked-is-kept'],
    // Most subscribers that had heard it are told so before the log is read; who had not never will.
    possible: ['seq-without-gap', 'deliveries-arrive'],
    teeth: { 'chain-check': 'one-order' },
  },
]);
