import { decodeName } from '../../foundation/identifiers.ts';
import type { KeyRow } from '../../ports/tap.ts';
import type { RedisKeys } from './keys.ts';

export type KeyRole = Pick<KeyRow, 'role' | 'session'>;

/** What a key of a cluster is for, by its name alone; `lease` is a bucket of the directory. */
export function roleOfKey(keys: RedisKeys, key: string): KeyRole {
  const { boot, clusterRecord, descriptions, documents, expiries, graves, unswept, vitals } = keys;
  const ofCluster = [boot, clusterRecord, descriptions, expiries, graves, unswept, vitals];
  ofCluster.push(keys.hubs, keys.names);
  if (ofCluster.includes(key)) return { role: 'cluster', session: null };
  if (key === keys.cacheRegions) return { role: 'cluster', session: null };
  if (key === documents) return { role: 'log', session: null };
  const name = key.slice(keys.prefix.length);
  const session = /^\{s\}:(?:sess|dead|hubs-of|names-of|reg(?=:[^:]+:)):([^:]+)/s.exec(name)?.[1];
  if (session !== undefined) return { role: 'session', session: decodeName(session) };
  if (name.startsWith('{s}:hub:')) return { role: 'cluster', session: null };
  if (/^leases:\{l\d+\}$/.test(name)) return { role: 'lease', session: null };
  if (/^doc:\{[^}]+\}:(head|log|snapshot)$/.test(name)) return { role: 'log', session: null };
  // Of no session: they go by themselves when the region is not used.
  if (/^cache:\{c-[^}]+\}:(stamp|prefixes|(value|evicted):.+)$/s.test(name)) {
    return { role: 'cluster', session: null };
  }
  return { role: 'other', session: null };
}
