import { toJsonSchema } from '@valibot/to-json-schema';
import { knownFaults } from '../src/verification/drills/known-faults.ts';
import { scenarioSchema } from '../src/verification/drills/scenario-schema.ts';

/**
 * The JSON schema of scenarios as they are written, for editors. It cannot say what the parts must
 * be to each other (a node that exists, a lease longer than three heartbeats): reading one does.
 */
export function scenarioJsonSchema(): string {
  const schema = toJsonSchema(scenarioSchema(knownFaults), {
    typeMode: 'input',
    target: 'draft-07',
    // What only code can check.
    ignoreActions: ['check'],
  });
  const titled = { ...schema, title: 'A scenario of "backplane drill"' };
  // The one definition is that of a step, which holds others.
  const text = JSON.stringify(titled, null, 2).replace('"0": {', '"step": {');
  return `${text.replaceAll('#/$defs/0', '#/$defs/step')}\n`;
}
