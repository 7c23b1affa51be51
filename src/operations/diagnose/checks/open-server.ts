import type { Check } from '../check.ts';
import { unread } from '../check.ts';
import { redisCli } from '../paste-command.ts';

/** Whoever reaches an open server can read and change every document. */
export const openServer: Check = {
  code: 'OPEN-SERVER',
  title: 'nobody gets at the broker without a password from outside',
  why: 'Whoever can connect to the broker can read, change and delete every document, and speak as any node.',
  remedy:
    'Turn protected-mode on (it refuses strangers from outside while there is no password), bind to the addresses that are needed, and give users passwords.',
  look(evidence) {
    const { broker } = evidence;
    if (!broker?.settings) return unread(evidence, 'CONFIG GET');
    if (broker.openToAll === null) return unread(evidence, 'ACL GETUSER');
    if (!broker.openToAll || broker.settings.protectedMode) return [];
    const outside = broker.settings.bind.filter((address) => !isLoopback(address));
    // With no bind at all it listens everywhere.
    if (outside.length === 0 && broker.settings.bind.length > 0) return [];
    const remote = broker.clients?.some(({ address }) => !isLoopback(hostOf(address))) ?? false;
    const password = '"$(openssl rand -hex 24 | tee redis-password)"';
    return [
      {
        severity: 'critical',
        seen: `the broker listens on ${outside.join(', ') || 'every address'} and asks nobody for a password`,
        mend: remote
          ? [`${redisCli(evidence, 'CONFIG', 'SET', 'requirepass')} ${password}`]
          : [redisCli(evidence, 'CONFIG', 'SET', 'protected-mode', 'yes')],
      },
    ];
  },
};

function isLoopback(address: string): boolean {
  const plain = address.replace(/^-/, '').replace(/^\[|\]$/g, '');
  return /^127\./.test(plain) || plain === '::1' || plain === 'localhost' || plain === '';
}

function hostOf(address: string): string {
  return address.startsWith('/') ? '' : address.replace(/:\d+$/, '');
}
