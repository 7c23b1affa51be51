import { readFile, stat } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { BackplaneError } from '../../foundation/errors.ts';
import { nearest } from '../../foundation/nearest.ts';
import { checkScenario, readScenario, scenarioBytesMax } from './read-scenario.ts';
import type { Scenario } from './scenario.ts';
import { scenarioNames } from './scenario-names.ts';
import type { ScenarioFault } from './step-schema.ts';

const textEndings = ['.yaml', '.yml', '.json'];
const moduleEndings = ['.js', '.mjs', '.ts', '.mts'];

export interface FindOptions {
  readonly faults: readonly ScenarioFault[];
  /** What the nodes of the cluster are called; node-1, node-2 … when absent. */
  readonly nodes?: readonly string[];
}

export interface FoundScenario {
  readonly scenario: Scenario;
  /** As it is written. */
  readonly source: string;
}

/**
 * A scenario that comes with the program, by name, or that of a file: YAML, JSON, or a module
 * whose default export is one (it is run). SCENARIO_UNKNOWN and SCENARIO_INVALID.
 */
export async function findScenario(name: string, options: FindOptions): Promise<FoundScenario> {
  const names: readonly string[] = scenarioNames;
  if (names.includes(name)) {
    const source = await readText(fileURLToPath(builtIn(name)), name);
    return { source, scenario: readScenario(source, { ...options, name: `${name}.yaml` }) };
  }
  const ending = extname(name).toLowerCase();
  if (textEndings.includes(ending)) {
    const source = await readText(name, name);
    return { source, scenario: readScenario(source, { ...options, name }) };
  }
  if (moduleEndings.includes(ending)) {
    const source = await readText(name, name);
    return { source, scenario: checkScenario(await defaultExport(name), { ...options, name }) };
  }
  throw unknown(name);
}

/** Every scenario that comes with the program. */
export async function builtInScenarios(options: FindOptions): Promise<Scenario[]> {
  const found = await Promise.all(scenarioNames.map((name) => findScenario(name, options)));
  return found.map(({ scenario }) => scenario);
}

function builtIn(name: string): URL {
  return new URL(`./scenarios/${name}.yaml`, import.meta.url);
}

async function readText(path: string, name: string): Promise<string> {
  const bytes = await readWhole(path, name);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new BackplaneError('SCENARIO_INVALID', `"${name}" is not UTF-8`, { cause });
  }
}

async function readWhole(path: string, name: string): Promise<Uint8Array> {
  let why = 'it is no file';
  try {
    const { size } = await stat(path).then((found) => (found.isFile() ? found : { size: null }));
    if (size !== null && size > scenarioBytesMax) why = 'it is larger than 256 KiB';
    else if (size !== null) return await readFile(path);
  } catch (cause) {
    why = cause instanceof Error ? cause.message : String(cause);
  }
  throw new BackplaneError('SCENARIO_INVALID', `cannot read "${name}": ${why}`, {
    remedy: 'backplane drill list names those that come with the program',
  });
}

async function defaultExport(path: string): Promise<unknown> {
  let module: { default?: unknown };
  try {
    module = await import(pathToFileURL(resolve(path)).href);
  } catch (cause) {
    const why = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    throw new BackplaneError('SCENARIO_INVALID', `cannot load "${path}": ${why}`, { cause });
  }
  if ('default' in module) return module.default;
  throw new BackplaneError('SCENARIO_INVALID', `"${path}" has no default export`, {
    remedy: 'write: export default { name, summary, steps }',
  });
}

function unknown(name: string): BackplaneError {
  const like = nearest(name, scenarioNames);
  const remedy =
    like !== null
      ? `did you mean ${like}? See backplane drill list`
      : `backplane drill list, or a file: ${[...textEndings, ...moduleEndings].join(' ')}`;
  return new BackplaneError('SCENARIO_UNKNOWN', `no scenario is called "${name}"`, { remedy });
}
