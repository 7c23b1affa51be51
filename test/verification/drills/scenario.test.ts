import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { serveCommand } from '../../../src/cli/commands/serve.ts';
import { builtInScenarios, findScenario } from '../../../src/verification/drills/find-scenario.ts';
import { knownFaults } from '../../../src/verification/drills/known-faults.ts';
import type { Step } from '../../../src/verification/drills/scenario.ts';
import { scenarioNames } from '../../../src/verification/drills/scenario-names.ts';
import { scenarioSchema } from '../../../src/verification/drills/scenario-schema.ts';
import { expectedMs, stepsCount, stepsMs } from '../../../src/verification/drills/scenario-time.ts';
import { stepsInWords } from '../../../src/verification/drills/steps-in-words.ts';
import { idleContext } from '../../cli/support/cli-world.ts';
import { sourceFiles } from '../../support/source-files.ts';
import { options, read } from './support/scenario-text.ts';

const built = await builtInScenarios(options);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'backplane-scenario-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('a scenario', () => {
  it('needs no more than a name, a summary and something that breaks', () => {
    expect(read('steps: [{ fault: kill, on: owner, for: 2s }]')).toEqual({
      name: 'mine',
      summary: 'it breaks something',
      proves: '',
      elsewhere: '',
      cluster: { nodes: 3, broker: 'any', store: 'any', serve: {} },
      workload: {
        documents: 8,
        peers: 6,
        followers: 3,
        opsPerSecond: 200,
        payloadBytes: 64,
        awarenessPerSecond: 20,
        requestsPerSecond: 20,
        requestTimeoutMs: 5_000,
        ownedBy: null,
      },
      budgets: {},
      steps: [{ step: 'fault', fault: 'kill', on: 'owner', forMs: 2_000, parameters: {} }],
    });
  });

  it('has steps of five kinds, one inside another', () => {
    const { steps } = read(
      'steps:',
      '  - run: 2s',
      '  - together:',
      '      - { fault: latency, on: node-2, by: 20ms, for: 1s }',
      '      - repeat: 3',
      '        steps: [{ fault: broker-restart, keepData: false, for: 500ms }, { run: 1s }]',
      '  - random: { for: 60s, faults: [kill, cut] }',
    );
    const latency = {
      step: 'fault',
      fault: 'latency',
      on: 'node-2',
      forMs: 1_000,
      parameters: { by: '20ms' },
    };
    const restart = {
      step: 'fault',
      fault: 'broker-restart',
      on: 'broker',
      forMs: 500,
      parameters: { keepData: false },
    };
    expect(steps).toEqual([
      { step: 'run', forMs: 2_000 },
      {
        step: 'together',
        steps: [
          latency,
          { step: 'repeat', times: 3, steps: [restart, { step: 'run', forMs: 1_000 }] },
        ],
      },
      {
        step: 'random',
        forMs: 60_000,
        faults: ['kill', 'cut'],
        holdMsMax: 5_000,
        pauseMsMax: 3_000,
      },
    ]);
    expect(stepsMs(steps, 3)).toBe(2_000 + 4_500 + 60_000);
    expect(stepsCount(steps, 3)).toBe(9);
    expect(stepsInWords(steps)).toEqual([
      'the load runs for 2s',
      'at the same time:',
      '  latency (by 20ms) on node-2, for 1s',
      '  3 times:',
      '    broker-restart (keepData false) on the broker, for 500ms',
      '    the load runs for 1s',
      'for 1m faults drawn from the seed, each held up to 5s, up to 3s apart, out of:',
      '  kill, cut',
    ]);
  });

  it('is done to each node in turn for as long as there are nodes', () => {
    const { steps } = read('steps: [{ fault: terminate, on: each, for: 2s }]');
    expect([stepsMs(steps, 4), stepsCount(steps, 4)]).toEqual([8_000, 4]);
  });

  it('keeps settings of serve as its flags take them', () => {
    const serve = '{ heartbeat: 1s, snapshot-ops: 50, wait-for-expiry: true, engine: log }';
    const { cluster } = read(
      `cluster: { serve: ${serve} }`,
      'steps: [{ fault: kill, on: all, for: 1s }]',
    );
    expect(cluster.serve).toEqual({
      heartbeat: '1s',
      'snapshot-ops': '50',
      'wait-for-expiry': 'true',
      engine: 'log',
    });
  });

  it('turns no switch of serve on that is off', () => {
    const { cluster } = read(
      'cluster: { serve: { wait-for-expiry: false } }',
      'steps: [{ fault: kill, on: all, for: 1s }]',
    );
    expect(cluster.serve).toEqual({});
  });

  it('chooses only settings that serve has', () => {
    const serve = serveCommand(idleContext());
    if (serve.kind !== 'command') throw new Error('serve is one command');
    const flags = serve.options.map((each) => /--([a-z-]+)/.exec(each.flags)?.[1]);
    const { entries } = scenarioSchema(knownFaults) as unknown as {
      entries: Record<string, Wrapped>;
    };
    const known = Object.keys(entries.cluster?.wrapped.entries?.serve?.wrapped.entries ?? {});
    expect(known.length).toBeGreaterThan(10);
    expect(known.filter((name) => !flags.includes(name))).toEqual([]);
  });
});

interface Wrapped {
  readonly wrapped: { readonly entries?: Record<string, Wrapped> };
}

describe('a scenario of a file', () => {
  const value = { name: 'mine', summary: 'x', steps: [{ fault: 'kill', on: 'owner', for: '1s' }] };

  it.each([
    ['mine.yaml', 'name: mine\nsummary: x\nsteps: [{ fault: kill, on: owner, for: 1s }]\n'],
    ['mine.json', JSON.stringify(value)],
    ['mine.mjs', `export default ${JSON.stringify(value)};`],
    ['mine.ts', `const it: object = ${JSON.stringify(value)};\nexport default it;`],
  ])('is read from %s', async (file, text) => {
    const path = join(folder, file);
    await writeFile(path, text);
    const { scenario, source } = await findScenario(path, options);
    expect(source).toBe(text);
    expect(scenario.steps).toMatchObject([{ fault: 'kill', on: 'owner', forMs: 1_000 }]);
  });

  it.each([
    ['gone.yaml', null, /cannot read .*ENOENT/],
    ['latin.yaml', Buffer.from([0x6e, 0xe9]), /is not UTF-8/],
    ['large.yaml', Buffer.alloc(300_000, '#'), /larger than 256 KiB/],
    ['wrong.mjs', Buffer.from('export default {'), /cannot load .*Error/],
    ['other.mjs', Buffer.from('export const a = 1;'), /no default export/],
    ['empty.mjs', Buffer.from('export default null;'), /a scenario is written as keys with values/],
  ])('fails for %s', async (file, bytes, expected) => {
    const path = join(folder, file);
    if (bytes !== null) await writeFile(path, bytes);
    const failure = await findScenario(path, options).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'SCENARIO_INVALID',
      message: expect.stringMatching(expected),
    });
  });

  it('fails for a folder, and for a name that nobody knows', async () => {
    await expect(findScenario(`${folder}/.yaml/../x.yaml`, options)).rejects.toMatchObject({
      code: 'SCENARIO_INVALID',
    });
    const unknown = {
      code: 'SCENARIO_UNKNOWN',
      remedy: expect.stringContaining('did you mean owner-crash?'),
    };
    await expect(findScenario('owner-crsh', options)).rejects.toMatchObject(unknown);
    await expect(findScenario('constructor', options)).rejects.toMatchObject({
      code: 'SCENARIO_UNKNOWN',
    });
  });
});

describe('what comes with the program', () => {
  it('is every file there is, and no other', () => {
    const files = readdirSync(
      new URL('../../../src/verification/drills/scenarios/', import.meta.url),
    );
    expect(files.sort()).toEqual([...scenarioNames].map((name) => `${name}.yaml`).sort());
    expect(built.map(({ name }) => name)).toEqual(scenarioNames);
  });

  it.each(
    built.map((scenario) => [scenario.name, scenario] as const),
  )('%s says what it proves, and names where it went wrong elsewhere', (_, {
    summary,
    proves,
    elsewhere,
    budgets,
    steps,
  }) => {
    expect(summary).toMatch(/^[a-z].*[^.]$/);
    expect(proves.length).toBeGreaterThan(150);
    expect(elsewhere).toMatch(/https:\/\//);
    expect(Object.keys(budgets)).toEqual(expect.arrayContaining(['recoveryMs', 'cleanupMs']));
    for (const line of `${proves}\n${elsewhere}`.split('\n')) {
      expect(line.length, line).toBeLessThan(100);
    }
    expect(steps.length).toBeGreaterThan(1);
    // What was just broken is given time before the load ends.
    expect(steps.at(-1)?.step).toBe('run');
  });

  it.each(
    built.map((scenario) => [scenario.name, scenario] as const),
  )('%s takes no longer than a minute or so', (name, scenario) => {
    const longMs = ['everything', 'thundering-herd'].includes(name) ? 100_000 : 60_000;
    expect(expectedMs(scenario)).toBeLessThan(longMs);
  });

  it('keeps the log out of a broker that loses it', () => {
    const loses = (steps: readonly Step[]): boolean =>
      steps.some((step) => {
        if ('steps' in step) return loses(step.steps);
        if (step.step !== 'fault') return false;
        const { keepData, lag } = step.parameters;
        return keepData === false || (lag !== undefined && lag !== '0ms');
      });
    const losing = built.filter(({ steps }) => loses(steps));
    expect(losing.map(({ name }) => name)).toEqual(['broker-empty', 'broker-failover']);
    for (const { cluster } of losing) expect(cluster.store).toBe('sqlite');
  });

  it('pauses an owner for longer than its lease', () => {
    const { cluster, steps } = built.find(({ name }) => name === 'owner-pause') ?? read();
    const pause = steps.find((step) => step.step === 'fault');
    expect(cluster.serve['lease-ttl']).toBe('6s');
    expect(pause?.forMs).toBeGreaterThan(6_000);
  });

  it('uses every fault that a scenario of a whole cluster can use', () => {
    const used = new Set(built.flatMap(({ steps }) => faultsOf(steps)));
    const unused = knownFaults.map(({ name }) => name).filter((name) => !used.has(name));
    // Nothing starts again what was drained, but in a cluster that exists.
    expect(unused).toEqual(['drain']);
  });

  it('is read as it is written: the schema takes its YAML', () => {
    const schema = scenarioSchema(knownFaults);
    for (const { path, text } of sourceFiles('src/verification/drills/scenarios', '.yaml')) {
      expect(v.safeParse(schema, parse(text)).issues, path).toBeUndefined();
    }
  });

  it('is copied to where the compiled program looks for it', () => {
    const { scripts } = JSON.parse(
      readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
    );
    const copier = /scripts\/([\w-]+\.js)/.exec(scripts.build)?.[1];
    const text = readFileSync(new URL(`../../../scripts/${copier}`, import.meta.url), 'utf8');
    expect(text).toContain('verification/drills/scenarios');
  });
});

function faultsOf(steps: readonly Step[]): string[] {
  return steps.flatMap((step) => {
    if ('steps' in step) return faultsOf(step.steps);
    if (step.step === 'random') return [...step.faults];
    return step.step === 'fault' ? [step.fault] : [];
  });
}
