import { judge, until } from '../../verification/judge.ts';
import { PeerLoad } from '../../verification/peer-load.ts';
import type { StoryMachine } from './story-machine.ts';

/** Two peers of one document, each entering at another node first, that never stop sending. */
export class StoryPeers {
  readonly #doc: string;
  readonly #peers: readonly PeerLoad[];

  private constructor(doc: string, peers: readonly PeerLoad[]) {
    this.#doc = doc;
    this.#peers = peers;
  }

  static async join(doc: string, addresses: readonly [string, string]): Promise<StoryPeers> {
    const peers = [
      await PeerLoad.join('ann', addresses, doc),
      await PeerLoad.join('bob', addresses.toReversed(), doc),
    ];
    for (const peer of peers) peer.start(5);
    const joined = new StoryPeers(doc, peers);
    await joined.moreOps();
    return joined;
  }

  /** Each peer got answers to ops it sent from now on. */
  async moreOps(): Promise<void> {
    const acked = () => this.#peers.map((peer) => peer.acked.length);
    const before = acked();
    await until(
      () => `more ops than ${before}, not ${acked()}`,
      () => acked().every((count, index) => count > (before[index] as number) + 10),
    );
  }

  /** Nothing acknowledged is lost or doubled, no send failed, and everybody saw the same. */
  async judge(machine: StoryMachine): Promise<void> {
    await Promise.all(this.#peers.map((peer) => peer.finish()));
    const log = await machine.log(this.#doc);
    const seen = () => this.#peers.map(({ delivered }) => delivered.length);
    await until(
      () => `everybody to have seen ${log.length} ops, not ${seen()}`,
      () => seen().every((count) => count >= log.length),
    );
    judge(log, this.#peers);
  }

  async close(): Promise<void> {
    await Promise.all(this.#peers.map((peer) => peer.close()));
  }
}
