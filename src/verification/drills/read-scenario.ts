import * as v from 'valibot';
import type { Scenario } from './scenario.ts';
import { type ScenarioProblem, scenarioInvalid, type TextPlace } from './scenario-problem.ts';
import { relationProblems } from './scenario-relations.ts';
import { scenarioSchema } from './scenario-schema.ts';
import type { ScenarioFault } from './step-schema.ts';
import { YamlText } from './yaml-text.ts';

export const scenarioBytesMax = 262_144;
/** Of lists and objects within each other. */
const depthMax = 24;

export interface ReadOptions {
  /** That of the file, for messages. */
  readonly name: string;
  readonly faults: readonly ScenarioFault[];
  /** What its nodes are called; node-1, node-2 … when absent. */
  readonly nodes?: readonly string[];
}

/** Reads YAML, of which JSON is a part. SCENARIO_INVALID names the line of everything wrong. */
export function readScenario(text: string, options: ReadOptions): Scenario {
  if (Buffer.byteLength(text) > scenarioBytesMax) {
    throw scenarioInvalid(options.name, [whole('it is larger than 256 KiB')], null);
  }
  const yaml = new YamlText(text);
  const placeOf = (problem: ScenarioProblem) => yaml.placeOf(problem);
  if (yaml.problems.length > 0) {
    const found = yaml.problems.map(({ message, place }) => ({ ...whole(message), place }));
    const places = new Map<ScenarioProblem, TextPlace>(found.map((each) => [each, each.place]));
    throw scenarioInvalid(options.name, found, (problem) => places.get(problem) as TextPlace);
  }
  return check(yaml.value, options, placeOf);
}

/** Checks what a module exports. SCENARIO_INVALID names the path of everything wrong. */
export function checkScenario(value: unknown, options: ReadOptions): Scenario {
  return check(value, options, null);
}

function check(
  value: unknown,
  options: ReadOptions,
  placeOf: ((problem: ScenarioProblem) => TextPlace) | null,
): Scenario {
  const { name, faults } = options;
  if (isDeeper(value, depthMax)) {
    throw scenarioInvalid(name, [whole(`it is nested deeper than ${depthMax} levels`)], placeOf);
  }
  const { success, output, issues } = v.safeParse(scenarioSchema(faults), value);
  if (!success) throw scenarioInvalid(name, issues.map(asProblem), placeOf);
  const nodes = options.nodes ?? nodeNames(output.cluster.nodes);
  const problems = relationProblems(output, { faults, nodes });
  if (problems.length > 0) throw scenarioInvalid(name, problems, placeOf);
  return output;
}

/** What the nodes of a drill are called. */
export function nodeNames(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `node-${at + 1}`);
}

function asProblem(issue: v.BaseIssue<unknown>): ScenarioProblem {
  const path = (issue.path ?? []).map(({ key }) => key as string | number);
  return { message: plain(issue.message), path, atKey: issue.path?.at(-1)?.origin === 'key' };
}

/** The sentences of valibot begin otherwise than ours. */
function plain(message: string): string {
  return message.replace(
    /^Invalid [\w ]+: Expected (.*) but received (.*)$/s,
    'expected $1, not $2',
  );
}

function whole(message: string): ScenarioProblem {
  return { message, path: [], atKey: false };
}

/** Ends also for an object that holds itself. */
function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((each) => isDeeper(each, levels - 1));
}
