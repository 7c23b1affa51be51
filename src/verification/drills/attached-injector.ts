import { kill } from 'node:process';
import * as v from 'valibot';
import { BackplaneError } from '../../foundation/errors.ts';
import type { ActiveFault } from './fault.ts';
import {
  drainFault,
  type OperatorFault,
  type OperatorSite,
  operatorFaults,
} from './faults/operator-faults.ts';
import type { FaultParameters, FaultTraits, Injector } from './injector.ts';
import { readProcess } from './nodes/read-process.ts';
import type { Warden } from './nodes/warden.ts';

/** A process of somebody else's: what is stopped goes on, also when the drill is killed. */
function pauseFault(processOf: (nodeId: string) => number | null, warden: Warden): OperatorFault {
  return {
    name: 'pause',
    summary: 'stop the process of a node on this machine with SIGSTOP, and let it go on afterwards',
    on: 'node',
    recoveryFrom: 'start',
    endsNode: false,
    parameters: v.strictObject({}),
    isFinal: false,
    async inject({ nodeId }) {
      const pid = processOf(nodeId);
      const before = pid === null ? null : readProcess(pid);
      if (pid === null || before === null) {
        throw new BackplaneError('INCONCLUSIVE', `${nodeId} is no process of this machine`);
      }
      warden.resumeOnEnd(pid);
      kill(pid, 'SIGSTOP');
      const isStopped = () => readProcess(pid)?.state.startsWith('T') === true;
      return {
        evidence: async () => (isStopped() ? `process ${pid} stood still` : null),
        revert: async () => {
          if (readProcess(pid)?.startedAt === before.startedAt) kill(pid, 'SIGCONT');
          warden.forgetProcess(pid);
        },
      };
    },
  };
}

export interface AttachedInjection {
  /** Names of faults, as the user gave them. */
  readonly allowed: readonly string[];
  readonly nodes: readonly string[];
  readonly site: Omit<OperatorSite, 'nodeId' | 'others'>;
  /** The process of a node, if it runs on this machine. */
  readonly processOf: (nodeId: string) => number | null;
  readonly warden: Warden;
}

/** The names of everything that can be allowed. */
export const attachedFaultNames: readonly string[] = [
  ...[...operatorFaults, drainFault].map(({ name }) => name),
  'pause',
];

/** Does to a cluster that exists what the user allowed, and refuses everything else. */
export class AttachedInjector implements Injector {
  readonly #injection: AttachedInjection;
  readonly #faults: readonly OperatorFault[];

  constructor(injection: AttachedInjection) {
    const { processOf, warden } = injection;
    this.#injection = injection;
    this.#faults = [...operatorFaults, drainFault, pauseFault(processOf, warden)];
  }

  get nodes(): readonly string[] {
    return this.#injection.nodes;
  }

  traits(fault: string): FaultTraits {
    return this.#faultNamed(fault);
  }

  unfit(fault: string): string | null {
    this.#faultNamed(fault);
    return null;
  }

  async inject(
    fault: string,
    nodeId: string | null,
    parameters: FaultParameters,
  ): Promise<ActiveFault> {
    const kind = this.#faultNamed(fault);
    v.parse(kind.parameters, parameters);
    if (nodeId === null) throw new BackplaneError('USAGE', `${fault} is done to a node`);
    const others = this.nodes.filter((each) => each !== nodeId);
    return kind.inject({ ...this.#injection.site, nodeId, others });
  }

  #faultNamed(name: string): OperatorFault {
    const { allowed } = this.#injection;
    const found = this.#faults.find((each) => each.name === name);
    if (found && allowed.includes(name)) return found;
    if (found) {
      throw new BackplaneError('USAGE', `${name} is not allowed on this cluster`, {
        remedy: `allow it: --allow ${[...allowed, name].join(',')}`,
      });
    }
    throw new BackplaneError('USAGE', `${name} cannot be done to a cluster that exists`, {
      remedy: `what can: ${attachedFaultNames.join(', ')}; run the others without --attach`,
    });
  }
}
