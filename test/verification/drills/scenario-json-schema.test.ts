import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { scenarioJsonSchema } from '../../../scripts/scenario-json-schema.ts';
import { knownFaults } from '../../../src/verification/drills/known-faults.ts';
import { scenarioNames } from '../../../src/verification/drills/scenario-names.ts';
import { scenarioSchema } from '../../../src/verification/drills/scenario-schema.ts';
import { readScenarioSchema } from '../../../src/verification/drills/scenario-schema-file.ts';
import { sourceFiles } from '../../support/source-files.ts';
import { takes } from './support/json-schema.ts';
import { scenarioText } from './support/scenario-text.ts';

const committed = await readScenarioSchema();
const published = JSON.parse(committed);
const ours = scenarioSchema(knownFaults);
const kill = 'steps: [{ fault: kill, on: owner, for: 1s }]';

describe('the JSON schema of scenarios', () => {
  it('is committed as the code is now', () => {
    expect(committed, 'npm run schema').toBe(scenarioJsonSchema());
  });

  it('is part of the package', () => {
    const { files } = JSON.parse(
      readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
    );
    expect(files).toContain('schema');
  });

  it('takes every scenario that comes with the program', () => {
    const files = sourceFiles('src/verification/drills/scenarios', '.yaml');
    expect(files.length).toBe(scenarioNames.length);
    for (const { path, text } of files) expect(takes(published, parse(text)), path).toBe(true);
  });

  it.each([
    [kill, true],
    ['steps: [{ run: 1s }]', true],
    ['steps: [{ run: 1 }]', false],
    ['steps: [{ run: 1s, on: owner }]', false],
    ['steps: []', false],
    ['steps: [{ fault: puase, on: owner, for: 1s }]', false],
    ['steps: [{ fault: kill, for: 1s }]', false],
    ['steps: [{ fault: kill, on: owner, for: 1s, by: 1s }]', false],
    ['steps: [{ fault: broker-pause, for: 1s }]', true],
    ['steps: [{ fault: broker-pause, on: owner, for: 1s }]', false],
    ['steps: [{ fault: latency, on: all, by: 20ms, for: 1s }]', true],
    ['steps: [{ fault: latency, on: all, by: soon, for: 1s }]', false],
    ['steps: [{ fault: drop-channel, on: all, share: 0.5, for: 1s }]', true],
    ['steps: [{ fault: drop-channel, on: all, share: 0, for: 1s }]', false],
    ['steps: [{ repeat: 2, steps: [{ together: [{ run: 1s }] }] }]', true],
    ['steps: [{ repeat: 2, steps: [{ together: [{ run: x }] }] }]', false],
    ['steps: [{ repeat: 0, steps: [{ run: 1s }] }]', false],
    ['steps: [{ random: { for: 1m, faults: [kill] } }]', true],
    ['steps: [{ random: { for: 1m, faults: [nil] } }]', false],
    [`budgets: { recovery: 2s, p99: 250ms }\n${kill}`, true],
    [`budgets: { recover: 2s }\n${kill}`, false],
    [`cluster: { nodes: 17 }\n${kill}`, false],
    [`cluster: { serve: { heartbeat: 1s, wait-for-expiry: true } }\n${kill}`, true],
    [`cluster: { serve: { port: 1 } }\n${kill}`, false],
    [`workload: { ownedBy: null, peers: 2, followers: 1 }\n${kill}`, true],
    [`workload: { opsPerSecond: 0 }\n${kill}`, false],
    [`$schema: ./drill-scenario.schema.json\n${kill}`, true],
  ])('says the same of "%s" as the program: %s', (lines, expected) => {
    const value = parse(scenarioText(lines));
    const program = v.safeParse(ours, value).success;
    expect([takes(published, value), program]).toEqual([expected, expected]);
  });
});
