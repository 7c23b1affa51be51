import * as v from 'valibot';
import { formatDuration, parseDurationMs } from '../../foundation/duration.ts';
import { isBackplaneError } from '../../foundation/errors.ts';
import { checkDials, defaultDials, type NodeDials } from '../../runtime/node-settings.ts';
import type { ClusterPlan, FaultStep, Scenario, Step } from './scenario.ts';
import type { ScenarioProblem } from './scenario-problem.ts';
import { stepsCount, stepsMs } from './scenario-time.ts';
import { wayOn } from './scenario-values.ts';
import { type ScenarioFault, stepsMax, targetWords } from './step-schema.ts';

const durationMsMax = 24 * 3_600_000;

export interface RelationOptions {
  readonly faults: readonly ScenarioFault[];
  /** What its nodes are called. */
  readonly nodes: readonly string[];
}

/** What each part allows and the parts together do not. */
export function relationProblems(scenario: Scenario, options: RelationOptions): ScenarioProblem[] {
  const { workload, cluster, steps } = scenario;
  const problems: ScenarioProblem[] = [];
  const found = (message: string, ...path: (string | number)[]) => {
    problems.push({ message, path, atKey: false });
  };
  if (workload.followers > workload.peers) {
    found(
      `${workload.followers} of ${workload.peers} peers cannot follow a document`,
      ...['workload', 'followers'],
    );
  }
  const { ownedBy } = workload;
  if (ownedBy !== null && !options.nodes.includes(ownedBy)) {
    found(noNode(ownedBy, options.nodes), 'workload', 'ownedBy');
  }
  const dials = contradiction(cluster);
  if (dials !== null) found(dials, 'cluster', 'serve');
  problems.push(...stepProblems(steps, ['steps'], options));
  if (!steps.some(breaks))
    found('no step breaks anything: a drill without a fault proves nothing', 'steps');
  const count = stepsCount(steps, options.nodes.length);
  if (count > stepsMax)
    found(`${count} steps with all that is repeated; ${stepsMax} is the most`, 'steps');
  const lastsMs = stepsMs(steps, options.nodes.length);
  if (lastsMs > durationMsMax) {
    found(`the steps take ${formatDuration(lastsMs)}; a day is the most`, 'steps');
  }
  return problems;
}

/** Which dial of a node a setting of `serve` turns. */
const dialOf: Readonly<Record<string, keyof NodeDials>> = {
  heartbeat: 'heartbeatMs',
  'lease-ttl': 'leaseTtlMs',
  'node-timeout': 'nodeTimeoutMs',
  'request-timeout': 'requestTimeoutMs',
  'awareness-ttl': 'awarenessTtlMs',
  'snapshot-interval': 'snapshotMs',
  'idle-after': 'idleDocumentMs',
  'takeover-grace': 'takeoverGraceMs',
};

/** What a node would say to these settings instead of starting. */
function contradiction({ serve }: ClusterPlan): string | null {
  const dials: Record<keyof NodeDials, number> = { ...defaultDials };
  for (const [flag, text] of Object.entries(serve)) {
    const dial = dialOf[flag];
    if (dial !== undefined) dials[dial] = parseDurationMs(text);
  }
  try {
    checkDials(dials);
    return null;
  } catch (error) {
    if (isBackplaneError(error, 'CONFIG_INVALID')) return error.message;
    throw error;
  }
}

type Path = readonly (string | number)[];

function stepProblems(
  steps: readonly Step[],
  path: Path,
  options: RelationOptions,
): ScenarioProblem[] {
  return steps.flatMap((step, at) => {
    const here = [...path, at];
    switch (step.step) {
      case 'run':
        return [];
      case 'random':
        return randomProblems(step.faults, [...here, 'random', 'faults'], options);
      case 'fault': {
        const message = targetProblem(step, options);
        return message === null ? [] : [{ message, path: [...here, 'on'], atKey: false }];
      }
      default: {
        const key = step.step === 'together' ? 'together' : 'steps';
        return stepProblems(step.steps, [...here, key], options);
      }
    }
  });
}

function targetProblem(
  { fault, on }: FaultStep,
  { faults, nodes }: RelationOptions,
): string | null {
  if (faults.find(({ name }) => name === fault)?.on !== 'node') return null;
  if (on === 'other' && nodes.length < 2) return 'a cluster of one node has no other';
  const words: readonly string[] = targetWords;
  if (words.includes(on) || nodes.includes(on)) return null;
  if (on === 'broker' || on === 'store') return `${fault} is done to a node, not to the ${on}`;
  return noNode(on, [...targetWords, ...nodes]);
}

/** Random faults are injected with nothing but their defaults. */
function randomProblems(
  names: readonly string[],
  path: Path,
  { faults }: RelationOptions,
): ScenarioProblem[] {
  return names.flatMap((name, at) => {
    const { parameters } = faults.find((each) => each.name === name) ?? {};
    if (parameters === undefined || acceptsNothing(parameters)) return [];
    const message = `${name} has a parameter without a default, so it cannot be drawn at random`;
    return [{ message, path: [...path, at], atKey: false }];
  });
}

function acceptsNothing(parameters: ScenarioFault['parameters']): boolean {
  return v.safeParse(parameters, {}).success;
}

function noNode(name: string, known: readonly string[]): string {
  return `the cluster has no node "${name}"; ${wayOn(name, known)}`;
}

function breaks(step: Step): boolean {
  switch (step.step) {
    case 'run':
      return false;
    case 'fault':
    case 'random':
      return true;
    default:
      return step.steps.some(breaks);
  }
}
