import { type Budgets, budgetDefaults } from '../budgets.ts';
import type { Scenario, Step } from './scenario.ts';

/** A cluster starts, peers open their documents, and everybody leaves in the end. */
const aroundMs = 8_000;
/** Every document is opened, and followed, before the load begins. */
const documentMs = 2;

/** About how long a drill takes on a machine that is not busy. */
export function expectedMs({ steps, cluster, workload, budgets }: Scenario): number {
  const { awarenessMs, cleanupMs }: Budgets = { ...budgetDefaults, ...budgets };
  // The dead have their time to be cleared away, most of it while the last steps run.
  const settlingMs = Math.max(awarenessMs, cleanupMs - (lastRunMs(steps) ?? 0));
  const openingMs = workload.documents * documentMs;
  return aroundMs + openingMs + stepsMs(steps, cluster.nodes) + settlingMs;
}

/** How long the steps take, if every fault is injected and taken back at once. */
export function stepsMs(steps: readonly Step[], nodes: number): number {
  return steps.reduce((sum, step) => sum + stepMs(step, nodes), 0);
}

/** How many steps they are with all that is repeated, and each node that is dealt with in turn. */
export function stepsCount(steps: readonly Step[], nodes: number): number {
  return steps.reduce((sum, step) => {
    if (step.step === 'fault') return sum + (step.on === 'each' ? nodes : 1);
    if (step.step === 'together') return sum + stepsCount(step.steps, nodes);
    if (step.step === 'repeat') return sum + step.times * stepsCount(step.steps, nodes);
    return sum + 1;
  }, 0);
}

function stepMs(step: Step, nodes: number): number {
  switch (step.step) {
    case 'fault':
      return step.forMs * (step.on === 'each' ? nodes : 1);
    case 'together':
      return step.steps.reduce((longest, each) => Math.max(longest, stepMs(each, nodes)), 0);
    case 'repeat':
      return step.times * stepsMs(step.steps, nodes);
    default:
      return step.forMs;
  }
}

function lastRunMs(steps: readonly Step[]): number | null {
  const last = steps.at(-1);
  return last?.step === 'run' ? last.forMs : null;
}
