import { rm } from 'node:fs/promises';
import { BackplaneError } from '../../foundation/errors.ts';
import { drillStore } from '../drills/brokers/drill-store.ts';
import { type BrokerPlan, startBroker } from '../drills/brokers/start-broker.ts';
import type { DrillDoors } from '../drills/drill-doors.ts';
import { freePort } from '../drills/free-port.ts';
import { NodeLife } from '../drills/nodes/node-life.ts';
import { Warden } from '../drills/nodes/warden.ts';
import { UndoList } from '../drills/undo-list.ts';

export interface BenchClusterOrder {
  readonly broker: 'embedded' | 'wasm' | 'redis';
  /** Where the logs are; with null, where they belong with this broker. */
  readonly store: 'redis' | 'sqlite' | null;
  readonly nodes: number;
}

/** A cluster that was started to be measured, on this machine. It ends with this process. */
export interface BenchCluster {
  readonly url: string;
  readonly storeUrl: string;
  readonly server: string;
  readonly folder: string;
  readonly nodes: readonly BenchNode[];
  close(): Promise<void>;
}

export interface BenchNode {
  readonly nodeId: string;
  readonly address: string;
  readonly pid: number;
  /** SIGKILL. */
  kill(): void;
}

const readyMsMax = 30_000;

/** A broker and nodes with nothing between them, as a user would start them. */
export async function startBenchCluster(
  order: BenchClusterOrder,
  doors: DrillDoors,
): Promise<BenchCluster> {
  const undo = new UndoList();
  try {
    const warden = undo.closes(await Warden.start(doors));
    const folder = warden.makeFolder();
    undo.add(() => rm(folder, { recursive: true, force: true }));
    const plan = await brokerPlan(order.broker, doors);
    const broker = undo.closes(await startBroker(plan, { ...doors, folder, warden }));
    const url = `redis://127.0.0.1:${broker.port()}`;
    const store = drillStore(
      order.store ?? (order.broker === 'redis' ? 'redis' : 'sqlite'),
      folder,
    );
    const names = Array.from({ length: order.nodes }, (_, at) => `bench-${at + 1}`);
    const start = async (nodeId: string) => {
      const port = await freePort(doors.random);
      const args = ['--url', url, '--store', store.url, '--node-id', nodeId];
      return startNode({ nodeId, port, args }, { ...doors, warden, undo });
    };
    const nodes = await Promise.all(names.map(start));
    const { server } = broker;
    return { url, storeUrl: store.url, server, folder, nodes, close: () => undo.run() };
  } catch (error) {
    await undo.run();
    throw error;
  }
}

async function brokerPlan(
  broker: BenchClusterOrder['broker'],
  { program, environment, findServer }: DrillDoors,
): Promise<BrokerPlan> {
  if (broker === 'redis') return { kind: 'redis', binary: await findServer() };
  const engine = broker === 'wasm' ? 'wasm' : 'auto';
  return { kind: 'embedded', program, engine, searchPath: environment.PATH ?? '' };
}

async function startNode(
  { nodeId, port, args }: { nodeId: string; port: number; args: readonly string[] },
  tools: DrillDoors & { readonly warden: Warden; readonly undo: UndoList },
): Promise<BenchNode> {
  const { PATH, HOME, TMPDIR, NODE_OPTIONS } = tools.environment;
  const { promise: ready, resolve } = Promise.withResolvers<true>();
  const life = new NodeLife({
    ...{ nodeId, clock: tools.clock },
    command: [...tools.program, 'serve', '-o', 'jsonl', '--port', String(port), ...args],
    environment: { PATH, HOME, TMPDIR, NODE_OPTIONS, NO_COLOR: '1' },
    heard: ({ type }) => {
      if (type === 'ready') resolve(true);
    },
  });
  const { pid } = life;
  if (pid !== undefined) tools.warden.watchProcess(pid);
  tools.undo.add(async () => {
    life.signal('SIGKILL');
    await life.ended;
    if (pid !== undefined) tools.warden.forgetProcess(pid);
  });
  const timer = tools.clock.after(readyMsMax, () => life.signal('SIGKILL'));
  const outcome = await Promise.race([ready, life.ended]);
  timer.cancel();
  if (outcome !== true || pid === undefined) {
    throw new BackplaneError('INCONCLUSIVE', `${nodeId} did not start: ${life.complaints()}`);
  }
  const address = `http://127.0.0.1:${port}`;
  return { nodeId, address, pid, kill: () => life.signal('SIGKILL') };
}
