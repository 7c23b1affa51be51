import type { ConnectionSettings, Machine } from './composition.ts';
import { openEngine, openStore } from './composition.ts';
import type { Secret } from './foundation/secret.ts';
import { createGateway } from './gateway/gateway.ts';
import type { IdentifyPeer } from './gateway/identify-peer.ts';
import type { BackplaneNode } from './runtime/node.ts';
import { NodeRuntime } from './runtime/node-runtime.ts';
import type { NodeDials } from './runtime/node-settings.ts';
import type { RelaySettings } from './runtime/relay/redirect-rules.ts';

export interface HostSettings {
  readonly connection: ConnectionSettings;
  /** Null: named after the machine and the port it got. */
  readonly nodeId: string | null;
  readonly hostname: string;
  readonly pid: number;
  readonly version: string;
  readonly dials: NodeDials;
  readonly fastTakeover: boolean;
  readonly documentEngine: 'json' | 'log';
  readonly relay?: RelaySettings | undefined;
  /** Null: no gateway, so no peers and no health page; the node takes part all the same. */
  readonly gateway: GatewayPlace | null;
  /** The command of a broker process, to start an embedded broker with. */
  readonly launchBroker: readonly string[] | null;
  readonly drainRequested: () => void;
}

export interface GatewayPlace {
  readonly host: string;
  /** Null: 7420, or the next free one. */
  readonly port: number | null;
  readonly token: Secret | null;
  readonly identify?: IdentifyPeer | undefined;
}

/** A node with everything it stands on, started; `stop` ends all of it in order. */
export interface HostedNode {
  readonly node: BackplaneNode;
  /** Safe to print. */
  readonly url: string;
  readonly storeUrl: string;
  readonly address: string | null;
  readonly notices: readonly string[];
  /** Hands over, sends the peers away, leaves. Twice is once. */
  stop(): Promise<void>;
}

export async function hostNode(settings: HostSettings, machine: Machine): Promise<HostedNode> {
  const { connection } = settings;
  const undo: (() => Promise<unknown>)[] = [];
  const undoAll = async () => {
    for (const step of undo.reverse()) await step().catch(() => {});
  };
  try {
    return await assemble();
  } catch (error) {
    // Whatever was opened for a node that did not start must not keep the process alive.
    await undoAll();
    throw error;
  }

  async function assemble(): Promise<HostedNode> {
    // First of all: a port that is taken is found out before a broker is started or a file made,
    // and the node can say where it listens.
    const { gateway: place } = settings;
    const gateway = place ? await createGateway({ ...place, ...machine }) : null;
    if (gateway) undo.push(() => gateway.stop());
    const address = gateway?.address() ?? null;
    const opened = await openEngine(connection, machine, settings.launchBroker);
    undo.push(() => opened.close());
    const { store, url: storeUrl } = await openStore(connection, opened, machine);
    undo.push(() => store.close());
    const notices = [opened.notice, store.volatile ? volatileNotice : null];

    const node = new NodeRuntime(
      { engine: opened.engine, store, ...machine },
      {
        ...settings,
        nodeId: settings.nodeId ?? defaultNodeId(settings, address),
        address: () => address,
      },
    );
    undo.push(() => node.stop());
    await node.start();
    gateway?.serve(node);
    const stop = async () => {
      // The documents first, the peers next, so that no op of theirs fails in between.
      await node.drain().catch(() => {});
      await gateway?.stop();
      await undoAll();
    };
    let stopping: Promise<void> | null = null;
    return {
      node,
      url: opened.url,
      storeUrl,
      address,
      notices: notices.filter((notice) => notice !== null),
      stop: () => {
        stopping ??= stop();
        return stopping;
      },
    };
  }
}

/** One word, whatever the machine is called. */
function defaultNodeId({ hostname, pid }: HostSettings, address: string | null): string {
  const machine = hostname.replace(/[^A-Za-z0-9.-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '');
  const place = address === null ? `p${pid}` : new URL(address).port;
  return `${machine.slice(0, 48) || 'node'}-${place}`;
}

const volatileNotice = 'the store is in memory: documents are gone when the process ends';
