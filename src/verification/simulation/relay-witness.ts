import { decodeUpLetter } from '../../foundation/relay-letter.ts';
import type { BackplaneNode } from '../../runtime/node.ts';
import type { Relay } from '../../runtime/relay/relay.ts';
import type { EventOf } from '../history-event.ts';
import type { Coverage } from './coverage.ts';
import type { SimHistory } from './sim-history.ts';

/** A frame that was sent: its payload names it, and its end is told once. */
export interface WitnessedFrame {
  readonly bytes: Uint8Array;
  ended(outcome: EventOf<'relay.end'>['outcome']): void;
}

/** Writes down what becomes of relay frames, and what nodes do with the connections they come on. */
export class RelayWitness {
  readonly #history: SimHistory;
  readonly #coverage: Coverage;
  readonly #counts = new Map<string, number>();
  #connections = 0;

  constructor(history: SimHistory, coverage: Coverage) {
    this.#history = history;
    this.#coverage = coverage;
  }

  sends(workspace: string, sender: string): WitnessedFrame {
    const frame = (this.#counts.get(sender) ?? 0) + 1;
    this.#counts.set(sender, frame);
    this.#history.record({ ev: 'relay.send', workspace, sender, frame });
    return {
      bytes: Buffer.from(`${sender}:${frame}`),
      ended: (outcome) => {
        if (outcome === 'lost') this.#coverage.add('relayFramesLost');
        this.#history.record({ ev: 'relay.end', workspace, sender, frame, outcome });
      },
    };
  }

  /** Answers who sent it. */
  delivered(workspace: string, receiver: string, bytes: Uint8Array): string {
    const [sender = '', frame] = Buffer.from(bytes).toString('utf8').split(':');
    this.#coverage.add('relayFrames');
    const heard = { workspace, sender, frame: Number(frame), receiver };
    this.#history.record({ ev: 'relay.deliver', ...heard });
    return sender;
  }

  /** The node as a relay connection uses it, with each connection's way written down. */
  watch(node: BackplaneNode, redirectedBefore: boolean): BackplaneNode {
    const note = (connection: string, way: EventOf<'relay.route'>['way']) => {
      if (way === 'redirected') this.#coverage.add('relayRedirects');
      this.#history.record({ ev: 'relay.route', connection, way, redirectedBefore });
    };
    const seen: Pick<Relay, 'browser' | 'daemon'> = {
      daemon: (arrival, door) => node.relay.daemon(arrival, door),
      browser: (arrival, door) => {
        this.#connections += 1;
        const connection = `${arrival.workspace}#${this.#connections}`;
        const seat = node.relay.browser(arrival, {
          ...door,
          say: (message) => {
            if (message.type === 'redirect') note(connection, 'redirected');
            door.say(message);
          },
        });
        const take = (letter: Uint8Array) => {
          const isPassedOn = seat.take(letter);
          if (isPassedOn && decodeUpLetter(letter).header.t === 'data')
            note(connection, 'forwarded');
          return isPassedOn;
        };
        return { ...seat, take };
      },
    };
    return { nodeId: node.nodeId, relay: seen } as unknown as BackplaneNode;
  }
}
