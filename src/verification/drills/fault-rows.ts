import type { ScenarioFault } from './step-schema.ts';

/** A fault as listings show it. */
export interface FaultRow {
  readonly name: string;
  /** `node`, `broker` or `store`. */
  readonly on: string;
  /** `connections=all every`: what it takes, with its default if it has one to show. */
  readonly parameters: string;
  readonly summary: string;
}

export function faultRows(faults: readonly ScenarioFault[]): FaultRow[] {
  return faults.map(({ name, on, summary, parameters }) => {
    return { name, on, parameters: parametersText(parameters), summary };
  });
}

function parametersText(parameters: ScenarioFault['parameters']): string {
  const { entries } = parameters as unknown as { entries: Record<string, { default?: unknown }> };
  return Object.entries(entries)
    .map(([name, { default: value }]) => ((value ?? null) === null ? name : `${name}=${value}`))
    .join(' ');
}
