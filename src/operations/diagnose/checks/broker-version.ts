import type { Check, Sight } from '../check.ts';
import { unread } from '../check.ts';

const upgrade =
  'move to Redis 7.0 or later, or Valkey 7.2 or later, as a standalone server; the nodes come along with --url.';

/** Older servers lack commands that we need, or that make looking harmless. */
export const brokerVersion: Check = {
  code: 'BROKER-VERSION',
  title: 'the broker knows every command that is used',
  why: 'Before 6.2 a server lacks what nodes need; before 7.0 it has no scripts that only read, so that whoever only looks needs a user that may write, and no ACL DRYRUN, so that rights cannot be checked.',
  remedy: 'Use Redis 7.0 or later, or Valkey 7.2 or later.',
  look(evidence) {
    const { broker } = evidence;
    if (!broker) return unread(evidence, 'HELLO');
    const [major = 0, minor = 0] = broker.version.split('.').map(Number);
    const told = (severity: Sight['severity'], lacks: string): Sight => ({
      severity,
      seen: `${broker.software} ${broker.version} in ${broker.mode} mode lacks ${lacks}`,
      mend: [],
      advice: `No command mends that: ${upgrade}`,
    });
    if (broker.mode !== 'standalone') return [told('critical', 'what a standalone server has')];
    if (major < 6 || (major === 6 && minor < 2)) return [told('critical', 'commands nodes need')];
    return major < 7 ? [told('note', 'scripts that only read, and ACL DRYRUN')] : [];
  },
};
