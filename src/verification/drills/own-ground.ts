import { rm } from 'node:fs/promises';
import type { Engine, InspectableStore } from '../../ports/engine.ts';
import type { Tap } from '../../ports/tap.ts';
import type { Visitor } from '../../runtime/visitor.ts';
import { openVisitor } from '../../runtime/visitor-runtime.ts';
import { drillStore } from './brokers/drill-store.ts';
import type { OwnedBroker } from './brokers/owned-broker.ts';
import { type BrokerPlan, startBroker } from './brokers/start-broker.ts';
import type { DrillStore } from './drill-cluster.ts';
import type { DrillDoors, OpenedBroker, StorePlace } from './drill-doors.ts';
import type { Ground } from './ground.ts';
import type { Recordable } from './history-recorder.ts';
import { type NodeEvent, NodeProcess } from './nodes/node-process.ts';
import { Warden } from './nodes/warden.ts';
import { type Operator, OwnInjector } from './own-injector.ts';
import { ownerIn } from './owner-in.ts';
import { openFaultProxy } from './proxy/fault-proxy.ts';
import type { ClusterPlan } from './scenario.ts';
import { tapEvents } from './tap-events.ts';

export interface OwnGroundOrder {
  readonly cluster: ClusterPlan;
  readonly broker: 'embedded' | 'wasm' | 'redis' | 'pair';
  /** The node that is started first, alone; null: all at once. */
  readonly first: string | null;
  /** The document that faults "on the owner" mean. */
  readonly doc: string;
  readonly record: (event: Recordable) => void;
}

/** A node that cannot hand over in this time hangs. */
const leaveMsMax = 30_000;

/**
 * A cluster of our own: a broker, nodes behind proxies, and somebody who ends all of it should we
 * not. Whatever was started before a failure is ended again.
 */
export async function openOwnGround(order: OwnGroundOrder, doors: DrillDoors): Promise<Ground> {
  const undo: (() => Promise<unknown>)[] = [];
  const undoAll = async () => {
    for (const step of undo.splice(0).reverse()) await step().catch(() => {});
  };
  try {
    return await open();
  } catch (error) {
    await undoAll();
    throw error;
  }

  async function open(): Promise<Ground> {
    const warden = await Warden.start(doors);
    undo.push(() => warden.close());
    const folder = warden.makeFolder();
    undo.push(() => rm(folder, { recursive: true, force: true }));
    const tools = { ...doors, folder, warden };
    const broker = await startBroker(await brokerPlan(order.broker, doors), tools);
    undo.push(() => broker.close());
    const store = drillStore(storeKind(order, broker), folder);
    const view = await openView(broker, store);
    const nodes = await createNodes(broker, store, warden);
    const cluster = { nodes, broker, store, folder };
    const starting = nodes.filter(({ nodeId }) => !order.first || nodeId === order.first);
    await Promise.all(starting.map((node) => node.start()));
    return {
      injector: new OwnInjector(cluster, operatorOf(view.engine)),
      broker: broker.server,
      logs: store.kind === 'redis' ? broker.server : 'SQLite',
      attached: null,
      unjudged: [],
      urls: nodes.map(({ address }) => address),
      engine: view.engine,
      store: view.store,
      ownerOf: (doc) => ownerIn(view.engine, doc),
      startAll: async () => {
        const waiting = nodes.filter(({ pid }) => pid === null);
        await Promise.all(waiting.map((node) => node.start()));
      },
      catchUp: () => view.tap.flush(),
      leave: async () => (await Promise.all(nodes.map(leave))).flat(),
      keys: () => doors.listKeys(view.place.brokerUrl),
      close: undoAll,
    };
  }

  /** A visitor is opened for a scenario that has something for it to do. */
  function operatorOf(engine: Engine): Operator {
    let visitor: Promise<Visitor> | null = null;
    undo.push(async () => (await visitor)?.close());
    const open = async () => {
      visitor ??= openVisitor({ engine, ...doors }, { mayFence: false });
      return { engine, visitor: await visitor };
    };
    return { ...doors, doc: order.doc, open };
  }

  /** Our own eyes see the broker through a proxy that nothing is done to, and that moves with it. */
  async function openView(
    broker: OwnedBroker,
    store: DrillStore,
  ): Promise<Pick<Ground, 'engine' | 'store'> & { tap: Tap; place: StorePlace }> {
    const proxy = await openFaultProxy({ ...doors, upstream: () => broker.port() });
    undo.push(() => proxy.close());
    const place = { brokerUrl: `redis://127.0.0.1:${proxy.port}`, storeUrl: store.url };
    const opened = await doors.openEngine(place.brokerUrl);
    undo.push(() => opened.engine.close());
    const tap = await doors.openTap(place, (event) => {
      for (const each of tapEvents(event)) order.record(each);
    });
    undo.push(() => tap.close());
    return { engine: opened.engine, store: openedOnce(opened, store.url), tap, place };
  }

  function openedOnce({ openStore }: OpenedBroker, url: string): Ground['store'] {
    let opening: Promise<InspectableStore> | null = null;
    undo.push(async () => (await opening)?.close());
    return () => {
      opening ??= openStore(url);
      return opening;
    };
  }

  async function createNodes(
    broker: OwnedBroker,
    store: DrillStore,
    warden: Warden,
  ): Promise<NodeProcess[]> {
    const nodes: NodeProcess[] = [];
    const scripts = await doors.scriptNames();
    undo.push(() => Promise.all(nodes.map((node) => node.kill())));
    for (let number = 1; number <= order.cluster.nodes; number++) {
      const proxy = await openFaultProxy({ ...doors, scripts, upstream: () => broker.port() });
      undo.push(() => proxy.close());
      const node = await NodeProcess.create({
        ...doors,
        nodeId: `node-${number}`,
        proxy,
        storeUrl: store.url,
        serve: order.cluster.serve,
        warden,
        observe: (event) => recordNode(event, order.record),
      });
      nodes.push(node);
    }
    return nodes;
  }
}

async function brokerPlan(
  broker: OwnGroundOrder['broker'],
  doors: DrillDoors,
): Promise<BrokerPlan> {
  if (broker === 'redis' || broker === 'pair') {
    return { kind: broker, binary: await doors.findServer() };
  }
  const { program, environment } = doors;
  const engine = broker === 'wasm' ? 'wasm' : 'auto';
  return { kind: 'embedded', program, engine, searchPath: environment.PATH ?? '' };
}

/** What goes with the broker: a broker that forgets must not keep the logs. */
function storeKind({ cluster }: OwnGroundOrder, { kind }: OwnedBroker): DrillStore['kind'] {
  if (cluster.store !== 'any') return cluster.store;
  return kind === 'embedded' ? 'sqlite' : 'redis';
}

function recordNode(event: NodeEvent, record: OwnGroundOrder['record']): void {
  const { nodeId } = event;
  if (event.kind === 'up') record({ ev: 'node.up', nodeId });
  if (event.kind === 'down') record({ ev: 'node.down', nodeId });
}

async function leave(node: NodeProcess): Promise<string[]> {
  if (node.pid === null) return [`${node.nodeId} did not run in the end`];
  const end = await node.terminate(leaveMsMax);
  return end === 0 ? [] : [`${node.nodeId} did not stop cleanly: it ended with ${end}`];
}
