import type { ClusterRecord, ClusterRecords } from '../../ports/cluster-record.ts';
import type { RedisKeys } from './keys.ts';
import type { RedisConnection } from './redis-connection.ts';
import { RedisReply } from './redis-replies.ts';
import type { RedisScripts } from './redis-scripts.ts';

/** The cluster's record as one key, set when it is absent or still the one seen. */
export class RedisClusterRecords implements ClusterRecords {
  readonly #connection: RedisConnection;
  readonly #scripts: RedisScripts;
  readonly #key: string;

  constructor(connection: RedisConnection, scripts: RedisScripts, keys: RedisKeys) {
    this.#connection = connection;
    this.#scripts = scripts;
    this.#key = keys.clusterRecord;
  }

  async agree(proposal: ClusterRecord): Promise<ClusterRecord> {
    const args = [this.#key, JSON.stringify(proposal), 'NX'];
    await this.#connection.call({ verb: 'SET', args, keys: [this.#key], writes: true });
    // SET with NX and GET at once needs Redis 7.
    return (await this.read()) ?? new RedisReply(this.#key).fail('the record just written');
  }

  async read(): Promise<ClusterRecord | null> {
    const call = { verb: 'GET', args: [this.#key], keys: [this.#key], writes: false };
    const text = await this.#connection.call(call);
    return text === null ? null : this.#parse(text);
  }

  async replace(seen: ClusterRecord, proposal: ClusterRecord): Promise<ClusterRecord> {
    const args = [seen.id, JSON.stringify(proposal)];
    return this.#parse(await this.#scripts.run('replace-cluster', { keys: [this.#key], args }));
  }

  #parse(text: unknown): ClusterRecord {
    const fields = new RedisReply(this.#key).object(text);
    return {
      id: fields.text('id'),
      buckets: fields.count('buckets'),
      storeIdentity: fields.text('storeIdentity'),
      documentEngine: fields.text('documentEngine'),
    };
  }
}
