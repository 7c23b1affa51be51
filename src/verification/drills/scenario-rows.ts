import { builtInScenarios } from './find-scenario.ts';
import { expectedMs } from './scenario-time.ts';
import type { ScenarioFault } from './step-schema.ts';

/** A scenario as listings show it. */
export interface ScenarioRow {
  readonly name: string;
  readonly summary: string;
  /** About how long a drill takes. */
  readonly aboutMs: number;
  readonly broker: string;
  readonly store: string;
  readonly nodes: number;
  readonly documents: number;
}

/** Those that come with the program. */
export async function scenarioRows(faults: readonly ScenarioFault[]): Promise<ScenarioRow[]> {
  const scenarios = await builtInScenarios({ faults });
  return scenarios.map((scenario) => {
    const { name, summary, cluster, workload } = scenario;
    const { broker, store, nodes } = cluster;
    const { documents } = workload;
    return { name, summary, aboutMs: expectedMs(scenario), broker, store, nodes, documents };
  });
}
