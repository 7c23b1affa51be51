import type { LogFacts } from '../../ports/logger.ts';

/**
 * What happened in a node, in words; null when people know it already. An event that has no words
 * here is told by its name and facts.
 */
export function eventText(name: string, facts: LogFacts): string | null {
  const words = sentences[name];
  if (words) return words(facts);
  const told = Object.entries(facts).map(([key, value]) => `${key}=${plain(value)}`);
  return [name, ...told].join(' ');
}

const sentences: Readonly<Record<string, (facts: LogFacts) => string | null>> = {
  notice: ({ text }) => plain(text),
  // The line before it says where.
  'gateway.listening': () => null,
  'gateway.draining': ({ peers }) =>
    peers === 0 ? null : `sending ${counted(peers, 'peer')} to other nodes`,
  'broker.launched': ({ pid }) => `starting a broker for this machine (process ${plain(pid)})`,
  'broker.restored': ({ server, pid }) =>
    `the broker is back: ${plain(server)}${pid === null ? '' : `, process ${plain(pid)}`}`,
  'broker.missing': ({ message }) => `there is no broker, trying again: ${plain(message)}`,
  'redis.disconnected': ({ connection, message }) =>
    `${plain(message)}; connecting again (${plain(connection)})`,
  'redis.reconnected': ({ connection, where }) =>
    `connected to ${plain(where)} again (${plain(connection)})`,
  'session.opened': ({ session }) => `joined the cluster as session ${plain(session)}`,
  'session.lost': ({ session, why }) =>
    `lost session ${plain(session)} (${plain(why)}), taking a new one`,
  'session.renewal-failed': ({ message }) => `the session could not be renewed: ${plain(message)}`,
  'session.fenced': ({ nodeId, session, why = 'it listens no more' }) =>
    `gave up node ${plain(nodeId)} (${plain(why)}), session ${plain(session)}`,
  // Every node that stops leaves a session behind, and mostly nothing else.
  'session.swept': ({ session, leases }) =>
    leases === 0 ? null : `cleared up after session ${plain(session)}: ${counted(leases, 'lease')}`,
  'node.drained': ({ documents }) => `handed over ${counted(documents, 'document')}`,
  'node.namesake': ({ nodeId, pid, address }) =>
    `another node is called ${plain(nodeId)} too (process ${plain(pid)} at ${plain(address)}): both work, --node-id tells them apart`,
};

function plain(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'unknown');
}

function counted(count: unknown, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${plain(count)} ${noun}s`;
}
