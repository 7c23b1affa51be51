import type { IncomingMessage } from 'node:http';
import { joinWorkspace, type WorkspaceHandle } from '../../client/join-workspace.ts';
import {
  type DaemonHandle,
  serveWorkspace,
  type WorkspaceBrowser,
} from '../../client/serve-workspace.ts';
import type { WebSocketConstructor } from '../../client/web-socket.ts';
import { asBackplaneError } from '../../foundation/errors.ts';
import { readRelayRequest } from '../../gateway/read-relay-request.ts';
import type { RelaySettings } from '../../runtime/relay/redirect-rules.ts';
import { SeededRandom } from '../seeded-random.ts';
import type { SimProfile } from './fault-profile.ts';
import { RelayWitness } from './relay-witness.ts';
import { SimProcess } from './sim-process.ts';
import { Wire } from './sim-socket.ts';
import type { SimWorld } from './sim-world.ts';

const workspaces = ['w1', 'w2'];
const browsersEach = 2;
const sendEveryMs = 12_000;
const burstMax = 4;
const daemonLifeMs = 150_000;
const browserLifeMs = 90_000;
/** A daemon that was refused tries again, as whoever runs it would. */
const againMs = 5_000;
const slowMs = 200;
const pendingMax = 20;

/** Every third world has workspaces: they cost as much as all the rest of it. */
function hasWorkspaces(seed: number): boolean {
  return seed % 3 === 0;
}

/** Half of those worlds redirect; every machine is allowed, and the last one has no public URL. */
export function simRelaySettings({ seed, nodes }: SimProfile, machine: string): RelaySettings {
  const machines = Array.from({ length: nodes }, (_, at) => `n${at + 1}`);
  const publicUrl = machine === machines.at(-1) ? null : `http://${machine}`;
  return { publicUrl, redirect: Math.floor(seed / 3) % 2 === 1, redirectAllow: machines };
}

/**
 * Browsers and daemons of workspaces: the client library itself, over simulated wires. They send
 * frames both ways, come and go, and daemons take over from each other.
 */
export class SimRelays {
  readonly #world: SimWorld;
  /** Chance of its own, so that a world is the same with and without what happens here. */
  readonly #random: SeededRandom;
  readonly #witness: RelayWitness;
  #made = 0;
  #stopped = false;

  constructor(world: SimWorld) {
    this.#world = world;
    this.#random = new SeededRandom(world.profile.seed ^ 0x4e1a);
    this.#witness = new RelayWitness(world.history, world.coverage);
  }

  start(): void {
    if (!hasWorkspaces(this.#world.profile.seed)) return;
    for (const workspace of workspaces) {
      this.#hireDaemon(workspace, null);
      for (let at = 0; at < browsersEach; at++) this.#hireBrowser(workspace);
    }
  }

  /** Nothing new is sent; what is under way comes to its end. */
  stop(): void {
    this.#stopped = true;
  }

  #hireDaemon(workspace: string, before: DaemonHandle | null): void {
    const name = this.#name('d');
    const { options } = this.#client(name, workspace);
    const witness = this.#witness;
    const daemon: DaemonHandle = serveWorkspace({
      ...options,
      take: before !== null,
      onFrame: (frame, browser) => {
        const sender = witness.delivered(workspace, name, frame);
        if (!this.#stopped && this.#random.fraction() < 0.5) {
          this.#send(workspace, `${name}>${sender}`, browser);
        }
        return this.#handling(options.clock);
      },
    });
    daemon.on('state', () => {
      if (daemon.error?.code !== 'RELAY_DAEMON_TAKEN' || this.#stopped) return;
      // Its successor is there, unless that was refused itself.
      if (daemon === this.#daemons.get(workspace)) {
        this.#daemons.delete(workspace);
        this.#later(againMs, () => this.#hireDaemon(workspace, null));
      }
    });
    this.#daemons.set(workspace, daemon);
    this.#world.coverage.add('relayDaemons');
    this.#later(this.#soon(daemonLifeMs), () => {
      if (this.#daemons.get(workspace) !== daemon) return;
      const takesOver = this.#random.fraction() < 0.5;
      if (!takesOver) daemon.close();
      this.#hireDaemon(workspace, takesOver ? daemon : null);
    });
  }

  readonly #daemons = new Map<string, DaemonHandle>();

  #hireBrowser(workspace: string): void {
    const name = this.#name('b');
    const { options } = this.#client(name, workspace);
    const drops = this.#random.fraction() < 0.3;
    const browser: WorkspaceHandle = joinWorkspace({
      ...options,
      ...(drops ? { overflow: 'drop-oldest', queueFramesMax: 5 } : {}),
      onFrame: (frame) => {
        this.#witness.delivered(workspace, name, frame);
        return this.#handling(options.clock);
      },
    });
    let isThere = true;
    const write = () => {
      if (!isThere || this.#stopped) return;
      const frames = 1 + Math.floor(this.#random.fraction() ** 2 * burstMax);
      for (let at = 0; at < frames && browser.pending < pendingMax; at++) {
        this.#send(workspace, name, browser);
      }
      this.#later(this.#soon(sendEveryMs), write);
    };
    this.#later(this.#soon(sendEveryMs), write);
    this.#later(this.#soon(browserLifeMs), () => {
      isThere = false;
      browser.close();
      this.#hireBrowser(workspace);
    });
  }

  #send(workspace: string, sender: string, to: Pick<WorkspaceBrowser, 'send'>): void {
    const frame = this.#witness.sends(workspace, sender);
    to.send(frame.bytes).then(
      () => frame.ended('taken'),
      (thrown) => {
        const { certainty } = asBackplaneError(thrown);
        frame.ended(certainty === 'definite' ? 'unsent' : 'lost');
      },
    );
  }

  /** Most frames are handled at once, some take a while. */
  #handling(clock: SimProcess): Promise<void> | undefined {
    if (this.#random.fraction() < 0.8) return undefined;
    return new Promise((resolve) => {
      clock.after(this.#random.fraction() * slowMs, resolve);
    });
  }

  #client(name: string, workspace: string) {
    const { timeline, nodes, network } = this.#world;
    const clock = new SimProcess(name, timeline, { rate: 1, wallOffsetMs: 0 });
    const first = Math.floor(this.#random.fraction() * nodes.length);
    const urls = nodes.map((_, at) => `ws://${nodes[(first + at) % nodes.length]?.machine}`);
    const dial = (url: string) => {
      const { hostname, pathname, search } = new URL(url);
      const listener = () => this.#listener(hostname, `${pathname}${search}`);
      const wire = new Wire({ network, machine: hostname, peer: clock, listener });
      wire.dial();
      return wire.peerEnd;
    };
    const WebSocket = function SimWebSocket(url: string) {
      return dial(url);
    } as unknown as WebSocketConstructor;
    return { options: { urls, workspace, WebSocket, clock, random: this.#random } };
  }

  #listener(machine: string, url: string) {
    const node = this.#world.nodes.find((one) => one.machine === machine);
    const life = node?.life;
    if (!life?.isOpen || life.isLeaving) return null;
    const request = readRelayRequest({ url } as IncomingMessage);
    const cameRedirected = url.includes('hops=1');
    return {
      process: life.process,
      accept: (wire: Wire) => {
        life.door.relay.accept(wire, request, (real) => this.#witness.watch(real, cameRedirected));
      },
    };
  }

  #later(delayMs: number, act: () => void): void {
    this.#world.timeline.after(delayMs, () => {
      if (!this.#stopped) act();
    });
  }

  #soon(meanMs: number): number {
    return -Math.log(1 - this.#random.fraction()) * meanMs;
  }

  #name(kind: string): string {
    this.#made += 1;
    return `${kind}${this.#made}`;
  }
}
