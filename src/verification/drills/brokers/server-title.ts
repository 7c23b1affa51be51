/** A server as people name it, from its INFO: `Redis 7.0.15`, `Valkey 9.1.1`. */
export function serverTitle(facts: ReadonlyMap<string, string>): string {
  const valkey = facts.get('valkey_version');
  return valkey ? `Valkey ${valkey}` : `Redis ${facts.get('redis_version') ?? 'of no version'}`;
}
