import { readFile } from 'node:fs/promises';

/** The JSON schema of scenarios, as it is published; `npm run schema` makes it. */
export const scenarioSchemaFile = new URL(
  '../../../schema/drill-scenario.schema.json',
  import.meta.url,
);

export function readScenarioSchema(): Promise<string> {
  return readFile(scenarioSchemaFile, 'utf8');
}
