import type { FaultName } from './fault-profile.ts';
import { crashOf, type InjectedFault, injectors } from './sim-faults.ts';
import type { SimNode } from './sim-node.ts';
import type { SimWorld } from './sim-world.ts';

interface ActiveFault {
  readonly id: string;
  readonly fault: InjectedFault;
}

/** The first act: the faults of a profile strike and end, several at a time, until all is healed. */
export class Storm {
  readonly #world: SimWorld;
  readonly #struck: () => void;
  readonly #active = new Map<string, ActiveFault>();
  #isRaging = false;
  /** Grows with each storm, so that what one has planned does not strike in the next. */
  #number = 0;
  #injected = 0;
  #named = 0;

  /** `struck` is called after every fault, and after its end. */
  constructor(world: SimWorld, struck: () => void) {
    this.#world = world;
    this.#struck = struck;
  }

  /** How many of the profile's faults struck; the last deed is in none. */
  get injected(): number {
    return this.#injected;
  }

  begin(): void {
    this.#isRaging = true;
    this.#number += 1;
    const { faults } = this.#world.profile;
    for (const [name, everyMs] of Object.entries(faults)) this.#plan(name as FaultName, everyMs);
  }

  /** Its last deed, so that in every world somebody has died by the time all is looked at. */
  killOwner(): void {
    const { broker } = this.#world;
    const serving = this.#world.serving();
    const owners = new Set(broker.leases().map(([, { session }]) => session));
    const isOwner = (node: SimNode) => owners.has(node.life?.runtime.session() ?? '');
    const owner = serving.find(isOwner);
    if (owner && serving.length > 1) this.#inject('crash', crashOf(this.#world, owner));
  }

  /** Everything is mended, whatever it was. */
  heal(): void {
    this.#isRaging = false;
    for (const active of [...this.#active.values()]) this.#end(active);
  }

  strike(name: FaultName): boolean {
    const fault = injectors[name](this.#world);
    if (!fault) return false;
    this.#injected += 1;
    this.#inject(name, fault);
    return true;
  }

  #inject(name: FaultName, fault: InjectedFault): void {
    this.#named += 1;
    const id = `f${this.#named}`;
    const { target, recoveryFrom, lastsMs } = fault;
    const { history, timeline } = this.#world;
    history.record({ ev: 'fault.start', id, fault: `${name} ${target}`, recoveryFrom });
    const active = { id, fault };
    this.#active.set(id, active);
    if (lastsMs === 0) this.#end(active);
    else timeline.after(lastsMs, () => this.#end(active));
    this.#struck();
  }

  #plan(name: FaultName, everyMs: number): void {
    const number = this.#number;
    this.#world.timeline.after(this.#world.soon(everyMs), () => {
      if (!this.#isRaging || number !== this.#number) return;
      this.strike(name);
      this.#plan(name, everyMs);
    });
  }

  #end(active: ActiveFault): void {
    if (!this.#active.delete(active.id)) return;
    active.fault.end();
    this.#world.history.record({ ev: 'fault.end', id: active.id });
    this.#struck();
  }
}
