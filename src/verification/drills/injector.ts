import type { ActiveFault, FaultKind } from './fault.ts';

/** What the steps of a scenario need to know of a fault. */
export type FaultTraits = Pick<FaultKind, 'name' | 'on' | 'recoveryFrom' | 'endsNode'>;

/** Injects faults by name into one cluster: into one that was started for it, or one that exists. */
export interface Injector {
  /** The names of the nodes. */
  readonly nodes: readonly string[];
  /** Throws USAGE for a fault nobody knows, or that is not allowed here. */
  traits(fault: string): FaultTraits;
  /** Why it cannot be done to this cluster; null when it can. Without parameters: by default. */
  unfit(fault: string, parameters?: FaultParameters): string | null;
  /** `node` is null for a fault on the broker or the store. */
  inject(fault: string, node: string | null, parameters: FaultParameters): Promise<ActiveFault>;
}

/** As a scenario writes them. */
export type FaultParameters = Readonly<Record<string, unknown>>;
