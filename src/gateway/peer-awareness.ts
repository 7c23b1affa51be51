import { BackplaneError } from '../foundation/errors.ts';
import type { BackplaneNode } from '../runtime/node.ts';

/**
 * Which connection speaks for which peer's awareness. A peer that reconnects to the same node takes
 * its awareness along, so that the late end of its old connection does not wipe it out.
 */
export class PeerAwareness {
  readonly #node: BackplaneNode;
  readonly #perConnectionMax: number;
  readonly #owners = new Map<string, object>();
  readonly #owned = new Map<object, Map<string, OwnedPeer>>();

  constructor(node: BackplaneNode, perConnectionMax: number) {
    this.#node = node;
    this.#perConnectionMax = perConnectionMax;
  }

  set(connection: object, doc: string, peer: string, state: Uint8Array | null): void {
    const key = `${peer}\n${doc}`;
    const owned = this.#owned.get(connection) ?? new Map<string, OwnedPeer>();
    if (state === null) {
      if (this.#owners.get(key) !== connection) return;
      this.#owners.delete(key);
      owned.delete(key);
      return this.#node.setAwareness(doc, peer, null);
    }
    if (!owned.has(key) && owned.size >= this.#perConnectionMax) {
      throw new BackplaneError('OVERLOADED', `awareness of ${owned.size} peers is set already`);
    }
    this.#node.setAwareness(doc, peer, state);
    const before = this.#owners.get(key);
    if (before !== connection && before) this.#owned.get(before)?.delete(key);
    this.#owners.set(key, connection);
    this.#owned.set(connection, owned.set(key, { doc, peer }));
  }

  isOwnedBy(connection: object, doc: string, peer: string): boolean {
    return this.#owned.get(connection)?.has(`${peer}\n${doc}`) ?? false;
  }

  /** The connection has ended: its peers are gone for everybody. */
  forget(connection: object): void {
    const owned = this.#owned.get(connection);
    if (!owned) return;
    this.#owned.delete(connection);
    for (const [key, { doc, peer }] of owned) {
      this.#owners.delete(key);
      try {
        this.#node.setAwareness(doc, peer, null);
      } catch {
        // A node that has stopped has forgotten it already.
      }
    }
  }
}

interface OwnedPeer {
  readonly doc: string;
  readonly peer: string;
}
