import { BackplaneError } from '../../../../src/foundation/errors.ts';
import type { ConnectionIdentity } from '../../../../src/runtime/presence/connection.ts';
import type { ConnectionSelector } from '../../../../src/runtime/presence/connection-selector.ts';
import type {
  ConnectionDoor,
  Invocation,
  PresenceDoor,
  RegisteredConnection,
} from '../../../../src/runtime/presence/presence-door.ts';
import type { MemoryCluster } from '../../../support/memory-cluster.ts';

export const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));
export const text = (value: unknown) => JSON.stringify(value);

/** The far end of a connection: keeps what it was sent, answers what it is told to. */
export class RecordingDoor implements ConnectionDoor {
  readonly messages: string[] = [];
  readonly cancelled: string[] = [];
  readonly kicks: string[] = [];
  answer: (invocation: Invocation) => Promise<Uint8Array> | Uint8Array = () => {
    throw new BackplaneError('METHOD_UNKNOWN', 'nothing is handled here');
  };

  message(payload: Uint8Array): void {
    this.messages.push(Buffer.from(payload).toString());
  }

  async invoke(invocation: Invocation): Promise<Uint8Array> {
    invocation.signal.addEventListener('abort', () => this.cancelled.push(invocation.method));
    return this.answer(invocation);
  }

  kicked(reason: string): void {
    this.kicks.push(reason);
  }
}

export function presenceOf(cluster: MemoryCluster, nodeId: string): PresenceDoor {
  return cluster.node(nodeId).runtime.presence;
}

export function connect(
  cluster: MemoryCluster,
  nodeId: string,
  identity: ConnectionIdentity,
  door: ConnectionDoor = new RecordingDoor(),
): RegisteredConnection {
  return presenceOf(cluster, nodeId).register(identity, door);
}

export async function idsOf(
  cluster: MemoryCluster,
  nodeId: string,
  selector: ConnectionSelector,
  fresh = false,
): Promise<string[]> {
  await cluster.settle();
  const found = await cluster.run(presenceOf(cluster, nodeId).find(selector, { fresh }));
  return found.map(({ id }) => id);
}
