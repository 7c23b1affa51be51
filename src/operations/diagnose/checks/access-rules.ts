import type { Check, Sight } from '../check.ts';
import { unread } from '../check.ts';
import { namesOf } from '../cluster-facts.ts';
import { redisCli } from '../paste-command.ts';

/** Every command and channel that is used, tried for every user that uses them. */
export const accessRules: Check = {
  code: 'ACL',
  title: 'the users of the broker may do what they need',
  why: 'A rule that forbids one command or channel shows only when it is needed: a failover that cannot fence, a node that hears nothing.',
  remedy:
    'Grant the rules to the user with ACL SETUSER, and write them down with ACL SAVE or CONFIG REWRITE.',
  look(evidence) {
    const { broker, refusal } = evidence;
    if (!broker) return unread(evidence, 'ACL DRYRUN');
    if (!broker.rights) {
      if (refusal?.code !== 'PERMISSION_DENIED') return unread(evidence, 'ACL DRYRUN');
      return [
        {
          severity: 'critical',
          seen: refusal.message,
          mend: [asCommand(evidence, refusal.remedy)],
        },
      ];
    }
    const nodesHaveOthers = broker.rights.some(({ isOfNodes }) => isOfNodes);
    return broker.rights.flatMap(({ user, denied, isOfNodes }): Sight[] => {
      if (denied.length === 0) return [];
      const looks = denied.every(({ toLook }) => !toLook);
      const rules = denied.map(({ rule }) => rule);
      const what = namesOf(
        denied.map((each) => each.what),
        8,
      );
      // Who only looks needs no more, as long as the nodes themselves are others.
      const onlyLooks = !isOfNodes && nodesHaveOthers && looks;
      return [
        {
          severity: onlyLooks ? 'note' : isOfNodes || looks ? 'critical' : 'warning',
          seen: onlyLooks
            ? `the user "${user}" may look, and not act: ${what}`
            : `the user "${user}" may not use ${what}`,
          mend: [redisCli(evidence, 'ACL', 'SETUSER', user, ...rules)],
        },
      ];
    });
  },
};

function asCommand(evidence: Parameters<Check['look']>[0], remedy: string): string {
  return remedy.startsWith('ACL ') ? redisCli(evidence, ...remedy.split(' ')) : remedy;
}
