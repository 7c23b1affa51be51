import type { FigureBudgets, Scenario, Step, WorkloadPlan } from './scenario.ts';

/** What a command line wants otherwise than the scenario has it. Absent: as it is. */
export interface Adjustments {
  readonly nodes?: number;
  readonly store?: 'redis' | 'sqlite';
  readonly workload?: Partial<WorkloadPlan>;
  readonly budgets?: FigureBudgets;
  /** How long faults are drawn at random. */
  readonly randomMs?: number;
}

export function adjustScenario(scenario: Scenario, adjustments: Adjustments): Scenario {
  const { nodes, store, workload, budgets, randomMs } = adjustments;
  const load = { ...scenario.workload, ...workload };
  return {
    ...scenario,
    cluster: {
      ...scenario.cluster,
      nodes: nodes ?? scenario.cluster.nodes,
      store: store ?? scenario.cluster.store,
    },
    // Fewer peers than would follow a document all follow it.
    workload: { ...load, followers: Math.min(load.followers, load.peers) },
    budgets: { ...scenario.budgets, ...budgets },
    steps: randomMs === undefined ? scenario.steps : scenario.steps.map(lasting(randomMs)),
  };
}

function lasting(forMs: number): (step: Step) => Step {
  const last = (step: Step): Step => {
    if (step.step === 'random') return { ...step, forMs };
    if (step.step === 'together' || step.step === 'repeat') {
      return { ...step, steps: step.steps.map(last) };
    }
    return step;
  };
  return last;
}
