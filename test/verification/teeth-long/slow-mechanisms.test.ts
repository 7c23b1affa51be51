import { biteWith } from '../teeth/support/bite.ts';
import { shortScenarios } from '../teeth/support/short-scenarios.ts';

const { wedgedOwner, lostLastMessages, killedOwner, killedCommit, killedWriter, deadHost } =
  shortScenarios;

/** What takes its time, or another way to see what the short ones show. Run by `npm run drills`. */
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
  {
    drill: 'an owner that is killed',
    scenario: killedOwner,
    teeth: { 'fast-takeover': 'recovery-in-time' },
  },
  {
    drill: 'an owner that is killed before its commits',
    scenario: killedCommit,
    teeth: { 'ack-order': 'acked-is-kept' },
  },
  {
    drill: 'an owner that is killed while it commits',
    scenario: killedWriter,
    teeth: { 'commit-order': 'acked-is-kept' },
  },
  {
    drill: 'guests of a node that dies',
    scenario: deadHost,
    teeth: { 'awareness-death': 'awareness-converges' },
  },
]);
