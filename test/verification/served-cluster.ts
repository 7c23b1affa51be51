import { openRedisEngine, type RedisEngine } from '../../src/drivers/redis/redis-engine.ts';
import { SystemClock } from '../../src/drivers/system/system-clock.ts';
import { SystemRandom } from '../../src/drivers/system/system-random.ts';
import { parseEngineUrl } from '../../src/foundation/url.ts';
import { freePort } from '../support/free-port.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { type ServedNode, serveNode } from '../support/serve-node.ts';
import { type LoggedOp, logged, until } from './judge.ts';
import { PeerLoad } from './peer-load.ts';

interface Place {
  readonly nodeId: string;
  readonly port: number;
}

/** Real nodes on a real Redis, each at an address it has again after a restart. */
export class ServedCluster {
  readonly redis: RedisServer;
  readonly #places: readonly Place[];
  readonly #nodes = new Map<string, ServedNode>();
  readonly #peers: PeerLoad[] = [];
  readonly #args: readonly string[];
  #engine: RedisEngine | null = null;

  private constructor(redis: RedisServer, places: readonly Place[], args: readonly string[]) {
    this.redis = redis;
    this.#places = places;
    this.#args = args;
  }

  static async start(nodes: number, args: readonly string[] = []): Promise<ServedCluster> {
    const redis = await startRedisServer();
    const places: Place[] = [];
    for (let index = 1; index <= nodes; index++) {
      places.push({ nodeId: `node-${index}`, port: await freePort() });
    }
    const cluster = new ServedCluster(redis, places, args);
    await Promise.all(places.map(({ nodeId }) => cluster.startNode(nodeId)));
    return cluster;
  }

  async startNode(nodeId: string): Promise<ServedNode> {
    const place = this.#places.find((each) => each.nodeId === nodeId) as Place;
    const args = ['--url', this.redis.url, '--node-id', nodeId, '--port', String(place.port)];
    const node = await serveNode({ args: [...args, ...this.#args] });
    this.#nodes.set(nodeId, node);
    return node;
  }

  node(nodeId: string): ServedNode {
    return this.#nodes.get(nodeId) as ServedNode;
  }

  /** Of every node, also of one that does not run now. */
  get addresses(): string[] {
    return this.#places.map(({ port }) => `http://127.0.0.1:${port}`);
  }

  /** Peers that enter the cluster at different nodes and know all of them. */
  async join(doc: string, count: number): Promise<PeerLoad[]> {
    for (let index = 0; index < count; index++) {
      const turn = index % this.#places.length;
      const urls = [...this.addresses.slice(turn), ...this.addresses.slice(0, turn)];
      this.#peers.push(await PeerLoad.join(`peer${index + 1}`, urls, doc));
    }
    return this.#peers;
  }

  /** Who owns the document by the directory, if that session lives. */
  async owner(doc: string): Promise<{ nodeId: string; session: string; epoch: number } | null> {
    const engine = await this.engine();
    const record = await engine.leases.read(doc);
    if (record?.state !== 'held') return null;
    const session = await engine.sessions.read(record.session);
    if (session?.state !== 'live') return null;
    const { nodeId } = session.description;
    return { nodeId, session: record.session, epoch: record.epoch };
  }

  async ownerOf(doc: string) {
    let owner: Awaited<ReturnType<ServedCluster['owner']>> = null;
    await until(`an owner of ${doc}`, async () => {
      owner = await this.owner(doc);
      return owner !== null;
    });
    return owner as unknown as { nodeId: string; session: string; epoch: number };
  }

  /** The whole log, from the store itself. */
  async log(doc: string): Promise<LoggedOp[]> {
    const store = (await this.engine()).openStore();
    const log: LoggedOp[] = [];
    for (;;) {
      const page = await store.read(doc, log.length, 1_000);
      if (page.length === 0) return log;
      log.push(...page.map(logged));
    }
  }

  async engine(): Promise<RedisEngine> {
    if (!this.#engine) {
      const url = parseEngineUrl(this.redis.url);
      if (url.kind !== 'redis') throw new Error('the test has its own Redis');
      this.#engine = await openRedisEngine(url.address, {
        clock: new SystemClock(),
        random: new SystemRandom(),
      });
    }
    return this.#engine;
  }

  /** Ends the load and waits until every peer has seen the whole log. */
  async settle(doc: string): Promise<LoggedOp[]> {
    await Promise.all(this.#peers.map((peer) => peer.finish()));
    const log = await this.log(doc);
    const seen = () => this.#peers.map(({ delivered }) => delivered.length);
    await until(
      () => `every peer to have seen the ${log.length} ops of the log, not ${seen()}`,
      () => seen().every((count) => count >= log.length),
    );
    return log;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#peers.map((peer) => peer.close()));
    await this.#engine?.close();
    await Promise.all([...this.#nodes.values()].map((node) => node.stop()));
    await this.redis.stop();
  }
}
