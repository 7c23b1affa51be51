import type { Check } from '../check.ts';
import { liveSessions, standing } from '../cluster-facts.ts';
import type { NodeAnswer } from '../evidence.ts';
import { backplane } from '../paste-command.ts';

/** Proved by asking: its heart beats, and it does not hear. */
export const deafNode: Check = {
  code: 'DEAF-NODE',
  title: 'every node that beats also hears',
  why: 'A node whose subscriber connection is wedged looks healthy everywhere: it beats, its health page is green, and no request and no edit reaches it.',
  remedy:
    'Evict it with --force: its documents go to others, and it makes its connections anew under a new session.',
  look(evidence) {
    const answers = new Map(evidence.nodes.map((answer) => [answer.session, answer]));
    const deaf = liveSessions(evidence).filter((record) => {
      if (standing(evidence, record) === 'silent') return false;
      const answer = answers.get(record.id);
      return record.vitals.deaf || (answer !== undefined && isUnheard(answer));
    });
    return deaf.map(({ id, description, vitals }) => {
      const answer = answers.get(id);
      const heard = answer?.receivers === 0 ? 'nobody listens on its inbox' : 'it did not answer';
      return {
        severity: 'critical',
        seen: `${description.nodeId} beats and does not hear: ${vitals.deaf ? 'it says so itself' : heard}`,
        mend: [backplane(evidence, 'node', 'evict', id, '--force')],
      };
    });
  },
};

function isUnheard({ failure, report }: NodeAnswer): boolean {
  const signs = ['NO_RESPONDER', 'DEADLINE_EXCEEDED', 'RESPONDER_GONE'];
  return report === null && failure !== null && signs.includes(failure);
}
