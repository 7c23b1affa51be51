import { describe, expect, it } from 'vitest';
import { checkScenario } from '../../../src/verification/drills/read-scenario.ts';
import { options, problemsIn, problemsOf, scenarioText } from './support/scenario-text.ts';

const kill = 'steps: [{ fault: kill, on: owner, for: 1s }]';

describe('an error in a scenario', () => {
  it.each([
    [
      'budgets: { recover: 2s }',
      'mine.yaml:3:12: budgets has no "recover"; did you mean recovery?',
    ],
    [
      'workload: { documnts: 3 }',
      'mine.yaml:3:13: workload has no "documnts"; did you mean documents?',
    ],
    ['workload: { peers: two }', 'mine.yaml:3:20: peers is a whole number from 1 to 10000'],
    [
      'workload: { opsPerSecond: 1.5 }',
      'mine.yaml:3:27: opsPerSecond is a whole number from 1 to 100000',
    ],
    [
      'workload: { peers: 2, followers: 3 }',
      'mine.yaml:3:34: 3 of 2 peers cannot follow a document',
    ],
    [
      'workload: { ownedBy: node-4 }',
      'mine.yaml:3:22: the cluster has no node "node-4"; did you mean node-1?',
    ],
    [
      'cluster: { broker: rediss }',
      'mine.yaml:3:20: the broker "rediss" is unknown; did you mean redis?',
    ],
    [
      'cluster: { serve: { port: 1 } }',
      /^mine.yaml:3:21: serve has no "port"; there are heartbeat, /,
    ],
    [
      'cluster: { serve: { heartbeat: 3s, lease-ttl: 6s } }',
      /^mine.yaml:3:19: a lease TTL of 6s leaves no room/,
    ],
    ['cluster: { nodes: 0 }', 'mine.yaml:3:19: nodes is a whole number from 1 to 16'],
    [
      'budgets: { p99: fast }',
      'mine.yaml:3:17: "fast" is not a duration: write a number and a unit, as 250ms or 5s',
    ],
    ['budgets: { p99: 400d }', 'mine.yaml:3:17: "400d" is longer than a year'],
    ['budgets: 2s', 'mine.yaml:3:10: budgets is written as keys with values'],
    ['stpes: []', 'mine.yaml:3:1: a scenario has no "stpes"; did you mean steps?'],
    ['name: again', 'mine.yaml:3:1: the key "name" stands twice'],
    ['proves: [', /^mine.yaml:\d+:\d+: it is not YAML: /],
    ['proves: !mine x', /^mine.yaml:3:9: it is not YAML: unresolved tag/],
  ])('of %s names its line and column', (line, expected) => {
    const [problem, ...more] = problemsOf(scenarioText(line, kill));
    expect(more.filter((text) => !text.includes('not YAML'))).toEqual([]);
    if (typeof expected === 'string') expect(problem).toBe(expected);
    else expect(problem).toMatch(expected);
  });

  it.each([
    [
      '{ fault: puase, on: owner, for: 1s }',
      '4:14: the fault "puase" is unknown; did you mean pause?',
    ],
    ['{ fault: 7, on: owner, for: 1s }', /^4:14: write the fault as one of kill/],
    ['{ fault: kill, for: 1s }', '4:5: the fault kill lacks "on"'],
    [
      '{ fault: kill, on: node-9, for: 1s }',
      '4:24: the cluster has no node "node-9"; did you mean node-1?',
    ],
    [
      '{ fault: kill, on: onwer, for: 1s }',
      '4:24: the cluster has no node "onwer"; did you mean owner?',
    ],
    ['{ fault: kill, on: broker, for: 1s }', '4:24: kill is done to a node, not to the broker'],
    [
      '{ fault: broker-pause, on: owner, for: 1s }',
      '4:32: broker-pause is done to the broker: leave "on" out',
    ],
    ['{ fault: kill, on: owner, for: 1 }', /^4:36: write a duration/],
    [
      '{ fault: kill, on: owner, for: 1s, by: 3s }',
      '4:40: the fault kill has no "by"; there are fault, on, for',
    ],
    ['{ fault: latency, on: all, by: soon, for: 1s }', /^4:36: "soon" is not a duration/],
    ['{ fault: drop-channel, on: all, share: 2, for: 1s }', '4:44: share is at most 1'],
    ['{ fault: clock-step, on: all, by: 1s, for: 1s }', /^4:\d+: .*2s/],
    ['{ run: 0ms }', '4:12: must be 1ms or more'],
    ['{ run: 1s, on: owner }', '4:16: a run has no "on"; there is only run'],
    [
      '{ jump: 1s }',
      '4:5: no step begins with "jump"; there are run, fault, together, repeat, random',
    ],
    ['kill', '4:5: a step begins with one of run, fault, together, repeat, random'],
    ['{ together: [] }', '4:17: there is nothing to do: write at least one step'],
    ['{ repeat: 0, steps: [{ run: 1s }] }', '4:15: repeat is a whole number from 1 to 1000'],
    ['{ repeat: 2, steps: [{ fault: kill, on: owner, for: x }] }', /^4:57: "x" is not a duration/],
    [
      '{ random: { for: 1s, faults: [kill, kil] } }',
      '4:41: the fault "kil" is unknown; did you mean kill?',
    ],
  ])('of the step %s names its column', (step, expected) => {
    const found = problemsOf(
      scenarioText('steps:', `  - ${step}`, '  - { fault: kill, on: owner, for: 1s }'),
    );
    const [problem = '', ...more] = found.map((text) => text.replace('mine.yaml:', ''));
    expect(more).toEqual([]);
    if (typeof expected === 'string') expect(problem).toBe(expected);
    else expect(problem).toMatch(expected);
  });

  it('is said of every line that has one, in their order', () => {
    const text = scenarioText(
      'budgets: { p98: 1s }',
      'workload: { peers: 0 }',
      'steps:',
      '  - { run: no }',
    );
    expect(problemsOf(text).map((each) => each.split(':')[1])).toEqual(['3', '4', '6']);
  });

  it('of a module has its path instead of a line', () => {
    const steps = [{ run: '1s' }, { together: [{ fault: 'kill', on: 'owner', for: 'x' }] }];
    const value = { name: 'mine', summary: 'it breaks', steps };
    const [problem] = problemsIn(() => checkScenario(value, { ...options, name: 'mine.mjs' }));
    expect(problem).toMatch(/^mine.mjs: steps\[1\].together\[0\].for: "x" is not a duration/);
  });
});

describe('a text that is no scenario', () => {
  it.each([
    ['nothing at all', '', /1:1: a scenario is written as keys with values/],
    ['a list', '- a\n- b\n', /1:1: a scenario is written as keys with values/],
    ['two documents', `${scenarioText(kill)}---\n${scenarioText(kill)}`, /it is not YAML/],
    ['one that does nothing', scenarioText('steps: []'), /3:8: there is nothing to do/],
    ['one without a step', scenarioText(), /1:1: a scenario lacks "steps"/],
    ['one that breaks nothing', scenarioText('steps: [{ run: 1s }]'), /proves nothing/],
    [
      'one that takes days',
      scenarioText('steps:', '  - { fault: kill, on: each, for: 12h }'),
      /a day is the most/,
    ],
    [
      'one that takes many steps',
      scenarioText(nested(3, 'repeat: 20, steps')),
      /8000 steps.*1000 is the most/,
    ],
    ['one that is deep', scenarioText(nested(40, 'together')), /nested deeper than 24 levels/],
    ['one that is very deep', '['.repeat(50_000), /nested too deep/],
    ['one that is large', `# ${'x'.repeat(300_000)}`, /larger than 256 KiB/],
    ['one that holds itself', scenarioText('cluster: &all', '  serve: *all'), /nested deeper/],
    ['a bomb of aliases', bomb(), /alias/],
  ])('is refused: %s', (_, text, expected) => {
    expect(problemsOf(text).join('\n')).toMatch(expected);
  });

  it('with thousands of keys is refused in no time', () => {
    const keys = Array.from({ length: 20_000 }, (_, at) => `k${at}: 1`).join('\n');
    const startedMs = performance.now();
    expect(problemsOf(keys).length).toBeGreaterThan(0);
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });
});

/** A step in a step in a step. */
function nested(depth: number, opening: string): string {
  const open = `[{ ${opening}: `.repeat(depth);
  const inner = '[{ fault: kill, on: owner, for: 1s }]';
  return `steps: ${open}${inner}${' }]'.repeat(depth)}`;
}

function bomb(): string {
  const lines = ['a: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let level = 1; level < 8; level++) {
    lines.push(
      `a${level}: &a${level} [${Array(10)
        .fill(`*a${level - 1}`)
        .join(', ')}]`,
    );
  }
  return lines.join('\n');
}
