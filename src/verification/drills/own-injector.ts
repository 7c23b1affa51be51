import * as v from 'valibot';
import { BackplaneError } from '../../foundation/errors.ts';
import type { DrillCluster } from './drill-cluster.ts';
import type { ActiveFault, FaultKind } from './fault.ts';
import { faultBook } from './fault-book.ts';
import {
  drainFault,
  type OperatorFault,
  type OperatorSite,
  operatorFaults,
} from './faults/operator-faults.ts';
import type { FaultParameters, FaultTraits, Injector } from './injector.ts';

/** Somebody who can only knock at the doors of the cluster. */
export interface Operator extends Pick<OperatorSite, 'doc' | 'clock' | 'random'> {
  open(): Promise<Pick<OperatorSite, 'engine' | 'visitor'>>;
}

/** Breaks a cluster that was started to be broken, in every way there is. */
export class OwnInjector implements Injector {
  readonly #cluster: DrillCluster;
  readonly #operator: Operator;

  constructor(cluster: DrillCluster, operator: Operator) {
    this.#cluster = cluster;
    this.#operator = operator;
  }

  get nodes(): readonly string[] {
    return this.#cluster.nodes.map(({ nodeId }) => nodeId);
  }

  traits(fault: string): FaultTraits {
    return kindNamed(fault);
  }

  unfit(fault: string, parameters: FaultParameters = {}): string | null {
    const kind = kindNamed(fault);
    if (kind === drainFault) return 'nobody would start it again: terminate does';
    if (!('unfit' in kind)) return null;
    return kind.unfit(this.#cluster, v.parse(kind.parameters, parameters));
  }

  async inject(
    fault: string,
    nodeId: string | null,
    parameters: FaultParameters,
  ): Promise<ActiveFault> {
    const kind = kindNamed(fault);
    const checked = v.parse(kind.parameters, parameters);
    const { clock, random, doc } = this.#operator;
    if ('unfit' in kind) {
      const node = this.#cluster.nodes.find((each) => each.nodeId === nodeId) ?? null;
      return kind.inject({ cluster: this.#cluster, node, clock, random }, checked);
    }
    if (nodeId === null) throw new BackplaneError('USAGE', `${fault} is done to a node`);
    const others = this.nodes.filter((each) => each !== nodeId);
    const doors = await this.#operator.open();
    return kind.inject({ ...doors, doc, clock, random, nodeId, others });
  }
}

function kindNamed(name: string): FaultKind | OperatorFault {
  const kind = [...faultBook, ...operatorFaults, drainFault].find((each) => each.name === name);
  if (kind) return kind;
  throw new BackplaneError('USAGE', `no fault is called ${name}`, {
    remedy: 'backplane drill list --faults',
  });
}
