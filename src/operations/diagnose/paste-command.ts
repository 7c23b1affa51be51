import type { Evidence } from './evidence.ts';

/**
 * Commands as a user can paste them into a shell, leading to the very broker and cluster that was
 * looked at. No secret is in them: redis-cli reads REDISCLI_AUTH, and our own the environment.
 */
export function redisCli({ broker }: Pick<Evidence, 'broker'>, ...words: string[]): string {
  const where = broker?.where;
  if (!where) return line(['redis-cli', ...words]);
  const place =
    where.path === null
      ? ['-h', where.host ?? 'localhost', '-p', String(where.port)]
      : ['-s', where.path];
  const flags = [
    ...(where.tls ? ['--tls'] : []),
    ...(where.db === 0 ? [] : ['-n', String(where.db)]),
    ...(where.username === null ? [] : ['--user', where.username]),
  ];
  return line(['redis-cli', ...place, ...flags, ...words]);
}

export function backplane({ target }: Pick<Evidence, 'target'>, ...words: string[]): string {
  return line(['backplane', ...words, ...target.flags]);
}

function line(words: readonly string[]): string {
  return words.map(quoted).join(' ');
}

/** A word that a POSIX shell gives back as it is. */
function quoted(word: string): string {
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", "'\\''")}'`;
}
