import { BackplaneError } from '../../foundation/errors.ts';
import { type Clock, sleep } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import type { ActiveFault } from './fault.ts';
import type { HistoryRecorder } from './history-recorder.ts';
import type { FaultParameters, FaultTraits, Injector } from './injector.ts';
import type { FaultStep, FaultTarget, RandomStep, Step } from './scenario.ts';

export interface StepsSite {
  readonly injector: Injector;
  readonly recorder: HistoryRecorder;
  readonly clock: Clock;
  /** Draws targets and the faults of random steps; seeded. */
  readonly random: Random;
  /** The node that owns the first document now, or null. */
  readonly owner: () => Promise<string | null>;
  /** Told what is done now, for people. */
  readonly says: (text: string) => void;
}

/** A fault that was injected, or should have been. */
export interface InjectedFault {
  readonly id: string;
  readonly fault: string;
  readonly target: string;
  /** Null when nothing showed that it took effect. */
  readonly evidence: string | null;
  /** Why it could not be injected or taken back. */
  readonly problem: string | null;
}

interface Held {
  readonly id: string;
  readonly fault: string;
  readonly target: string;
  readonly active: ActiveFault;
}

/** How long a document may be without an owner before a fault "on the owner" is given up. */
const ownerMsMax = 20_000;
const ownerLookMs = 100;
/** A fault that is over at once may touch nothing, and then proves nothing. */
const holdShareMin = 0.25;

/**
 * Does what the steps of a scenario say. Whatever happens, every fault that was injected is taken
 * back: at the end of its step, or by `revertAll`.
 */
export class StepRunner {
  readonly injected: InjectedFault[] = [];
  readonly #site: StepsSite;
  readonly #held = new Set<Held>();
  #count = 0;

  constructor(site: StepsSite) {
    this.#site = site;
  }

  /** Those that are in effect now. */
  active(): { readonly fault: string; readonly target: string }[] {
    return [...this.#held].map(({ fault, target }) => ({ fault, target }));
  }

  /** Runs the steps in order; ends early, with everything reverted, when the signal is aborted. */
  async run(steps: readonly Step[], signal: AbortSignal): Promise<void> {
    for (const step of steps) {
      if (signal.aborted) return;
      await this.#step(step, signal);
    }
  }

  async revertAll(): Promise<void> {
    await Promise.all([...this.#held].map((held) => this.#release(held)));
  }

  async #step(step: Step, signal: AbortSignal): Promise<void> {
    switch (step.step) {
      case 'run':
        this.#site.says('load without a fault');
        return sleep(this.#site.clock, step.forMs, signal);
      case 'fault':
        return this.#fault(step, signal);
      case 'together':
        await Promise.all(step.steps.map((each) => this.#step(each, signal)));
        return;
      case 'repeat':
        for (let round = 0; round < step.times && !signal.aborted; round++) {
          await this.run(step.steps, signal);
        }
        return;
      case 'random':
        return this.#randomFaults(step, signal);
    }
  }

  async #fault(step: FaultStep, signal: AbortSignal): Promise<void> {
    const { injector } = this.#site;
    const kind = injector.traits(step.fault);
    if (kind.on !== 'node') return this.#hold(kind, null, step, signal);
    const { nodes } = injector;
    if (step.on === 'all') {
      // Nobody is left to take over: what counts is how soon it works again afterwards.
      const outage = { ...kind, recoveryFrom: 'end' } as const;
      await Promise.all(nodes.map((node) => this.#hold(outage, node, step, signal)));
      return;
    }
    if (step.on !== 'each') return this.#hold(kind, await this.#nodeAt(step.on), step, signal);
    for (const node of nodes) {
      if (signal.aborted) return;
      await this.#hold(kind, node, step, signal);
    }
  }

  /** Injects, waits, and takes back. */
  async #hold(
    kind: FaultTraits,
    node: string | null,
    { forMs, parameters }: Pick<FaultStep, 'forMs' | 'parameters'>,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, says } = this.#site;
    const target = node ?? kind.on;
    says(`${kind.name} on ${target}`);
    const held = await this.#inject(kind, node, parameters);
    if (held === null) return;
    await sleep(clock, forMs, signal);
    await this.#release(held);
  }

  async #inject(
    kind: FaultTraits,
    node: string | null,
    parameters: FaultParameters,
  ): Promise<Held | null> {
    const { injector, recorder } = this.#site;
    this.#count += 1;
    const about = { id: `f${this.#count}`, fault: kind.name, target: node ?? kind.on };
    const { id, target } = about;
    const unfit = injector.unfit(kind.name, parameters);
    if (unfit !== null) return this.#failed(about, unfit);
    recorder.record({
      ...{ ev: 'fault.start', id, fault: `${kind.name} on ${target}` },
      recoveryFrom: kind.recoveryFrom,
    });
    try {
      const active = await injector.inject(kind.name, node, parameters);
      const held = { ...about, active };
      this.#held.add(held);
      // What takes no time is over; that the node stays away is said by the node itself.
      if (kind.endsNode) recorder.record({ ev: 'fault.end', id });
      return held;
    } catch (error) {
      recorder.record({ ev: 'fault.end', id });
      return this.#failed(about, `it could not be injected: ${messageOf(error)}`);
    }
  }

  async #release(held: Held): Promise<void> {
    if (!this.#held.delete(held)) return;
    const { recorder } = this.#site;
    const { id, fault, target, active } = held;
    const evidence = await active.evidence().catch(() => null);
    try {
      await active.revert();
      this.injected.push({ id, fault, target, evidence, problem: null });
    } catch (error) {
      const problem = `it could not be taken back: ${messageOf(error)}`;
      this.#failed({ id, fault, target }, problem);
    }
    if (!this.#site.injector.traits(fault).endsNode) recorder.record({ ev: 'fault.end', id });
  }

  #failed(about: Pick<InjectedFault, 'id' | 'fault' | 'target'>, problem: string): null {
    const { id, fault, target } = about;
    this.injected.push({ id, fault, target, evidence: null, problem });
    this.#site.recorder.record({ ev: 'note', text: `${fault} on ${target}: ${problem}` });
    return null;
  }

  async #randomFaults(step: RandomStep, signal: AbortSignal): Promise<void> {
    const { clock, random, injector } = this.#site;
    const { nodes } = injector;
    const kinds = step.faults
      .filter((name) => injector.unfit(name) === null)
      .map((name) => injector.traits(name));
    const untilMs = clock.monotonicMs() + step.forMs;
    while (clock.monotonicMs() < untilMs && !signal.aborted) {
      // Drawn before anything is waited for, so that the same seed draws the same faults.
      const kind = kinds[Math.floor(random.fraction() * kinds.length)] as FaultTraits;
      const share = holdShareMin + random.fraction() * (1 - holdShareMin);
      const forMs = Math.round(share * step.holdMsMax);
      const pauseMs = Math.round(random.fraction() * step.pauseMsMax);
      const at = Math.floor(random.fraction() * nodes.length);
      const node = kind.on === 'node' ? (nodes[at] as string) : null;
      await this.#hold(kind, node, { forMs, parameters: {} }, signal);
      await sleep(clock, pauseMs, signal);
    }
  }

  async #nodeAt(target: FaultTarget): Promise<string> {
    const { injector, random } = this.#site;
    const { nodes } = injector;
    const anyOf = (some: readonly string[]) =>
      some[Math.floor(random.fraction() * some.length)] as string;
    switch (target) {
      case 'random':
        return anyOf(nodes);
      case 'owner':
        return this.#owner();
      case 'other': {
        const owner = await this.#owner();
        return anyOf(nodes.filter((nodeId) => nodeId !== owner));
      }
      default:
        if (nodes.includes(target)) return target;
        throw new BackplaneError('INCONCLUSIVE', `the cluster has no node ${target}`);
    }
  }

  /** After one fault it may take a while until there is an owner to do the next one to. */
  async #owner(): Promise<string> {
    const { clock, owner } = this.#site;
    const untilMs = clock.monotonicMs() + ownerMsMax;
    while (clock.monotonicMs() < untilMs) {
      const found = await owner().catch(() => null);
      if (found !== null) return found;
      await sleep(clock, ownerLookMs);
    }
    throw new BackplaneError('INCONCLUSIVE', 'the first document has had no owner for 20 s');
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
