import { asBackplaneError } from '../../foundation/errors.ts';
import { opIdOf } from '../../foundation/identifiers.ts';
import type { LogFacts, Logger, LogLevel } from '../../ports/logger.ts';
import type { Visitor } from '../../runtime/visitor.ts';
import { openVisitor } from '../../runtime/visitor-runtime.ts';
import { SimEngine } from './sim-engine.ts';
import type { NodeLife } from './sim-node.ts';
import { SimProcess } from './sim-process.ts';
import type { SimWorld } from './sim-world.ts';

interface Visit {
  readonly visitor: Visitor;
  readonly name: string;
  readonly doc: string;
  readonly process: SimProcess;
}

const patienceMs = 8_000;
const lookMs = 2_000;

/**
 * Whoever runs the cluster: comes now and then with a command line, looks at something, moves a lease
 * or submits an op, and goes. What becomes of it is the cluster's affair; the laws look on.
 */
export class SimOperator {
  readonly world: SimWorld;
  readonly #logged: (level: LogLevel, name: string, facts: LogFacts) => void;
  #visits = 0;

  constructor(world: SimWorld, logged: (level: LogLevel, name: string, facts: LogFacts) => void) {
    this.world = world;
    this.#logged = logged;
  }

  /** Never rejects: an operator who is refused reads why, and goes. */
  async visit(): Promise<void> {
    const { world } = this;
    const doc = world.pick(world.documents());
    if (!doc) return;
    this.#visits += 1;
    const name = `o${this.#visits}`;
    const { timeline, network, broker, random, coverage, faults } = world;
    const process = new SimProcess(name, timeline, { rate: 1, wallOffsetMs: 0 });
    const engine = new SimEngine({
      ...{ machine: name, process, network, broker, random, coverage },
      ...{ busFaults: faults.bus, commandFaults: faults.commands },
    });
    const logger: Logger = {
      event: (level, event, facts = {}) => this.#logged(level, event, facts),
    };
    const mayFence = random.fraction() < 0.5;
    try {
      const parts = { engine: engine.open(), clock: process, random, logger };
      const visitor = await openVisitor(parts, { mayFence });
      await this.#act({ visitor, name, doc, process });
      await visitor.close();
      coverage.add('operatorActs');
    } catch (error) {
      const { code, message } = asBackplaneError(error);
      if (code === 'INTERNAL') this.#logged('error', 'operator.failed', { code, message });
    } finally {
      process.end();
      engine.end();
    }
  }

  #act(visit: Visit): Promise<unknown> {
    const acts = [
      () => this.#submit(visit),
      () => this.#follow(visit),
      () => this.#control(visit, 'lease.move'),
      () => this.#control(visit, 'lease.acquire'),
      () => this.#control(visit, 'lease.release'),
      () => this.#control(visit, 'doc.describe'),
      () => this.#control(visit, 'docs.page'),
      () => this.#readiness(),
      () => this.#request(visit),
    ];
    return (this.world.pick(acts) ?? (() => Promise.resolve()))();
  }

  async #submit({ visitor, name, doc }: Visit): Promise<void> {
    const { history } = this.world;
    const peer = `operator-${name}`;
    const opId = opIdOf(peer, 1);
    history.record({ ev: 'op.invoke', doc, opId });
    const payload = Buffer.from(JSON.stringify({ [name]: 1 }));
    try {
      const { seq } = await visitor.submit(doc, { peer, counter: 1, payload });
      this.world.coverage.add('opsAcknowledged');
      history.record({ ev: 'op.ok', doc, opId, seq });
    } catch (thrown) {
      const { code, certainty } = asBackplaneError(thrown);
      history.record({ ev: 'op.fail', doc, opId, code, certainty });
      throw thrown;
    }
  }

  async #follow({ visitor, doc, process }: Visit): Promise<void> {
    const follower = { ops: () => {}, failed: () => {} };
    const following = await visitor.follow(doc, 0, follower);
    await new Promise<void>((resolve) => process.after(lookMs, resolve));
    await following.close();
  }

  /** Asks the owner, or any node. */
  async #control({ visitor, doc }: Visit, name: string): Promise<void> {
    const lives = this.world.serving().flatMap(({ serving }) => serving ?? []);
    const owner = lives.find(({ runtime }) => runtime.ownedEpoch(doc) !== null);
    const asked = name === 'lease.acquire' ? this.world.pick(lives) : owner;
    const session = asked?.runtime.session();
    if (!session) return;
    const params: Record<string, unknown> =
      name === 'docs.page' ? { from: null, limit: 2 } : { doc };
    if (name === 'lease.move') params.session = this.#other(lives, session);
    await visitor.control(session, name, params, { timeoutMs: patienceMs });
  }

  #other(lives: readonly NodeLife[], session: string): string {
    const others = lives.flatMap(({ runtime }) => runtime.session() ?? []);
    return this.world.pick(others.filter((other) => other !== session)) ?? session;
  }

  async #readiness(): Promise<void> {
    await this.world.pick(this.world.serving())?.serving?.runtime.readiness();
  }

  async #request({ visitor }: Visit): Promise<void> {
    const nodeId = this.world.pick(this.world.nodes)?.machine ?? '';
    const target = { kind: 'node', nodeId } as const;
    await visitor.request(target, 'no-such-method', new Uint8Array(), { timeoutMs: patienceMs });
  }
}
