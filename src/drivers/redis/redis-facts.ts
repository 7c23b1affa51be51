import type {
  BrokerClient,
  BrokerSettings,
  BrokerState,
  SlowCommand,
} from '../../ports/examination.ts';

type Fields = Readonly<Record<string, string>>;

/** What Redis answers as a map: a flat list, or an object where RESP3 has one. */
export function pairsOf(reply: unknown): Record<string, string> {
  const pairs: Record<string, string> = {};
  if (Array.isArray(reply)) {
    for (let at = 0; at + 1 < reply.length; at += 2)
      pairs[textOf(reply[at])] = textOf(reply[at + 1]);
  } else if (reply instanceof Map) {
    for (const [name, value] of reply) pairs[textOf(name)] = textOf(value);
  } else if (typeof reply === 'object' && reply !== null) {
    for (const [name, value] of Object.entries(reply)) pairs[name] = textOf(value);
  }
  return pairs;
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join(' ');
  if (value instanceof Set) return [...value].map(textOf).join(' ');
  return String(value ?? '');
}

export function infoFields(reply: unknown): Fields {
  const lines = textOf(reply).split(/\r?\n/);
  const fields = lines
    .map((line) => /^([a-z0-9_]+):(.*)$/.exec(line))
    .filter((found) => found !== null);
  return Object.fromEntries(fields.map(([, name, value]) => [name, value]));
}

export function stateOf(info: Fields): BrokerState {
  const seconds = (name: string) => Number(info[name] ?? 0) * 1_000;
  const savedAt = Number(info.rdb_last_save_time ?? 0) * 1_000;
  const nowMs = Number(info.server_time_usec ?? 0) / 1_000;
  return {
    role: info.role === 'slave' ? 'replica' : 'primary',
    replicas: Number(info.connected_slaves ?? 0),
    uptimeMs: seconds('uptime_in_seconds'),
    memoryBytes: Number(info.used_memory ?? 0),
    evictedKeys: Number(info.evicted_keys ?? 0),
    cpuMs: (Number(info.used_cpu_user ?? 0) + Number(info.used_cpu_sys ?? 0)) * 1_000,
    lastSaveOk: (info.rdb_last_bgsave_status ?? 'ok') === 'ok',
    lastSaveAgoMs: savedAt > 0 && nowMs > savedAt ? Math.round(nowMs - savedAt) : 0,
    changesSinceSave: Number(info.rdb_changes_since_last_save ?? 0),
    appendFileOk: (info.aof_last_write_status ?? 'ok') === 'ok',
    loading: info.loading === '1',
  };
}

export function settingsOf(config: Fields): BrokerSettings {
  const limits = subscriberLimits(config['client-output-buffer-limit'] ?? '');
  return {
    memoryBytesMax: Number(config.maxmemory ?? 0),
    evictionPolicy: config['maxmemory-policy'] ?? 'noeviction',
    appendOnly: config.appendonly === 'yes',
    appendSync: config.appendfsync ?? 'everysec',
    save: config.save ?? '',
    replicasToWriteMin: Number(config['min-replicas-to-write'] ?? 0),
    ...limits,
    protectedMode: config['protected-mode'] === 'yes',
    bind: (config.bind ?? '').split(' ').filter((word) => word !== ''),
    idleTimeoutMs: Number(config.timeout ?? 0) * 1_000,
  };
}

/** `normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60`. */
function subscriberLimits(text: string) {
  const found = /pubsub (\d+) (\d+) (\d+)/.exec(text);
  const [, hard = '0', soft = '0', softSeconds = '0'] = found ?? [];
  return {
    subscriberBytesMax: Number(hard),
    subscriberBytesSoft: Number(soft),
    subscriberSoftMs: Number(softSeconds) * 1_000,
  };
}

const clientsKept = 2_000;

/** Ours by their names, and every one that subscribes. */
export function clientRows(reply: unknown): BrokerClient[] {
  const rows = textOf(reply)
    .split('\n')
    .filter((line) => line.startsWith('id='))
    .map(clientRow);
  const wanted = rows.filter(({ name, subscriptions, waitingBytes }) => {
    return name.startsWith('backplane-') || subscriptions > 0 || waitingBytes > 0;
  });
  return wanted.sort((a, b) => b.waitingBytes - a.waitingBytes).slice(0, clientsKept);
}

function clientRow(line: string): BrokerClient {
  const fields = Object.fromEntries(
    line.split(' ').map((word) => {
      const at = word.indexOf('=');
      return [word.slice(0, at), word.slice(at + 1)];
    }),
  );
  const count = (name: string) => Number(fields[name] ?? 0);
  return {
    id: fields.id ?? '',
    address: fields.addr ?? '',
    name: fields.name ?? '',
    user: fields.user ?? 'default',
    db: count('db'),
    subscriptions: count('sub') + count('psub') + count('ssub'),
    waitingBytes: count('omem'),
    growthPerSecond: 0,
    idleMs: count('idle') * 1_000,
    ageMs: count('age') * 1_000,
  };
}

/** What SLOWLOG GET answers: id, time, microseconds, words, address, name of the client. */
export function slowCommands(reply: unknown, serverWallMs: number): SlowCommand[] {
  const entries = Array.isArray(reply) ? reply.filter(Array.isArray) : [];
  const commands = entries.map(([, atSeconds, micros, words, address, client]) => ({
    command: textOf(Array.isArray(words) ? words[0] : words).toUpperCase(),
    tookMs: Math.round(Number(micros) / 1_000),
    agoMs: Math.max(0, Math.round(serverWallMs - Number(atSeconds) * 1_000)),
    address: textOf(address),
    client: textOf(client),
  }));
  return commands.sort((a, b) => b.tookMs - a.tookMs);
}
