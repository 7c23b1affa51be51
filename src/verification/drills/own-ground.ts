import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine, InspectableStore } from '../../ports/engine.ts';
import type { KeyRow, Tap, Witness } from '../../ports/tap.ts';
import type { Visitor } from '../../runtime/visitor.ts';
import { openVisitor } from '../../runtime/visitor-runtime.ts';
import { drillStore } from './brokers/drill-store.ts';
import type { OwnedBroker } from './brokers/owned-broker.ts';
import { type BrokerPlan, startBroker } from './brokers/start-broker.ts';
import type { DrillCluster, DrillStore } from './drill-cluster.ts';
import type { DrillDoors, OpenedBroker, StorePlace } from './drill-doors.ts';
import type { Ground } from './ground.ts';
import type { Recordable } from './history-recorder.ts';
import { type NodeEvent, NodeProcess } from './nodes/node-process.ts';
import { Warden } from './nodes/warden.ts';
import { OwnInjector } from './own-injector.ts';
import { ownerIn } from './owner-in.ts';
import { practice } from './practice.ts';
import { openFaultProxy } from './proxy/fault-proxy.ts';
import { nodeNames } from './read-scenario.ts';
import type { ClusterPlan } from './scenario.ts';
import { tapEvents } from './tap-events.ts';
import { UndoList } from './undo-list.ts';
import { LoadCaches } from './workload/load-caches.ts';

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

/** What is there once a cluster runs. */
interface Opened {
  readonly cluster: DrillCluster & { readonly nodes: readonly NodeProcess[] };
  readonly engine: Engine;
  readonly openStore: OpenedBroker['openStore'];
  readonly tap: Tap;
  readonly place: StorePlace;
}

/**
 * A cluster of our own: a broker, nodes behind proxies, and somebody who ends all of it should we
 * not. Whatever was started before a failure is ended again.
 */
export async function openOwnGround(order: OwnGroundOrder, doors: DrillDoors): Promise<Ground> {
  const undo = new UndoList();
  try {
    const opened = await open(order, doors, undo);
    return new OwnGround(opened, { order, doors, undo });
  } catch (error) {
    await undo.run();
    throw error;
  }
}

async function open(order: OwnGroundOrder, doors: DrillDoors, undo: UndoList): Promise<Opened> {
  const warden = undo.closes(await Warden.start(doors));
  const folder = warden.makeFolder();
  undo.add(() => rm(folder, { recursive: true, force: true }));
  const tools = { ...doors, folder, warden };
  const broker = undo.closes(await startBroker(await brokerPlan(order.broker, doors), tools));
  const store = drillStore(storeKind(order, broker), folder);
  // Our own eyes see the broker through a proxy that nothing is done to, and that moves with it.
  const upstream = () => broker.port();
  const proxy = undo.closes(await openFaultProxy({ ...doors, upstream }));
  const place = { brokerUrl: `redis://127.0.0.1:${proxy.port}`, storeUrl: store.url };
  const { engine, openStore } = await doors.openEngine(place.brokerUrl);
  undo.closes(engine);
  const witness: Witness = (event) => tapEvents(event).forEach(order.record);
  const tap = undo.closes(await doors.openTap(place, witness));
  const source = join(folder, 'practice');
  await LoadCaches.prepare({ folder: source, nodeIds: [] });
  const practised = { ...doors.environment, [practice.variable]: source };
  const equipped = { ...doors, environment: practised };
  const parts = { doors: equipped, undo, upstream, warden, storeUrl: store.url };
  const nodes = await createNodes(order, parts);
  const starting = nodes.filter(({ nodeId }) => !order.first || nodeId === order.first);
  await Promise.all(starting.map((node) => node.start()));
  return { cluster: { nodes, broker, store, folder }, engine, openStore, tap, place };
}

async function createNodes(
  order: OwnGroundOrder,
  parts: {
    readonly doors: DrillDoors;
    readonly undo: UndoList;
    readonly upstream: () => number;
    readonly warden: Warden;
    readonly storeUrl: string;
  },
): Promise<NodeProcess[]> {
  const { doors, undo, upstream, warden, storeUrl } = parts;
  const nodes: NodeProcess[] = [];
  const scripts = await doors.scriptNames();
  undo.add(() => Promise.all(nodes.map((node) => node.kill())));
  for (const nodeId of nodeNames(order.cluster.nodes)) {
    const proxy = undo.closes(await openFaultProxy({ ...doors, scripts, upstream }));
    const observe = (event: NodeEvent) => recordNode(event, order.record);
    const { serve } = order.cluster;
    nodes.push(
      await NodeProcess.create({ ...doors, nodeId, proxy, storeUrl, serve, warden, observe }),
    );
  }
  return nodes;
}

class OwnGround implements Ground {
  readonly attached = null;
  readonly unjudged = [];
  readonly injector: OwnInjector;
  readonly #opened: Opened;
  readonly #doors: DrillDoors;
  readonly #undo: UndoList;
  #store: Promise<InspectableStore> | null = null;
  #visitor: Promise<Visitor> | null = null;

  constructor(
    opened: Opened,
    parts: { readonly order: OwnGroundOrder; readonly doors: DrillDoors; readonly undo: UndoList },
  ) {
    const { order, doors, undo } = parts;
    this.#opened = opened;
    this.#doors = doors;
    this.#undo = undo;
    const operator = { ...doors, doc: order.doc, open: () => this.#operator() };
    this.injector = new OwnInjector(opened.cluster, operator);
  }

  get broker(): string {
    return this.#opened.cluster.broker.server;
  }

  get logs(): string {
    return this.#opened.cluster.store.kind === 'redis' ? this.broker : 'SQLite';
  }

  get urls(): string[] {
    return this.#opened.cluster.nodes.map(({ address }) => address);
  }

  get engine(): Engine {
    return this.#opened.engine;
  }

  get practice() {
    const { folder, nodes } = this.#opened.cluster;
    return {
      folder: join(folder, 'practice'),
      nodeIds: nodes.map(({ nodeId }) => nodeId),
    };
  }

  async visitor(): Promise<Visitor> {
    return (await this.#operator()).visitor;
  }

  store(): Promise<InspectableStore> {
    this.#store ??= this.#opened
      .openStore(this.#opened.place.storeUrl)
      .then((store) => this.#undo.closes(store));
    return this.#store;
  }

  ownerOf(doc: string): Promise<string | null> {
    return ownerIn(this.engine, doc);
  }

  async startAll(): Promise<void> {
    const waiting = this.#opened.cluster.nodes.filter(({ pid }) => pid === null);
    await Promise.all(waiting.map((node) => node.start()));
  }

  catchUp(): Promise<void> {
    return this.#opened.tap.flush();
  }

  async leave(): Promise<string[]> {
    return (await Promise.all(this.#opened.cluster.nodes.map(leave))).flat();
  }

  keys(): AsyncIterable<KeyRow[]> {
    return this.#doors.listKeys(this.#opened.place.brokerUrl);
  }

  close(): Promise<void> {
    return this.#undo.run();
  }

  async #operator(): Promise<{ engine: Engine; visitor: Visitor }> {
    const { engine } = this;
    this.#visitor ??= openVisitor({ engine, ...this.#doors }, { mayFence: false }).then((visitor) =>
      this.#undo.closes(visitor),
    );
    return { engine, visitor: await this.#visitor };
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
