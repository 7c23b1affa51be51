import { describe, expect, it } from 'vitest';
import { runBackplane } from '../support/run-backplane.ts';

const timeout = { timeout: 120_000 };

describe('backplane sim', () => {
  it('runs seeds, and reports what their worlds went through', timeout, async () => {
    const line = ['sim', '--seeds', '1..4', '--hours', '0.1', '--nodes', '3', '-o', 'json'];
    const { code, stdout } = await runBackplane(line);
    const report = JSON.parse(stdout);
    expect({ code, report }).toMatchObject({
      code: 0,
      report: { schemaVersion: 1, outcome: 'holds', seedsRun: 4, violations: [], ineffective: [] },
    });
    expect(report.simulatedHours).toBeGreaterThan(0.3);
    expect(report.coverage.opsAcknowledged).toBe(report.acknowledged);
    expect(report.faults).toBeGreaterThan(10);
  });

  it('tells the story of one seed, the same each time', timeout, async () => {
    const line = ['sim', '--seed', '7', '--hours', '0.06', '--nodes', '3', '--trace'];
    const [one, other] = [await runBackplane(line), await runBackplane(line)];
    expect(one.code).toBe(0);
    const story = (text: string) => text.split('\n').filter((each) => /^ +\d+\.\d{3}s /.test(each));
    expect(story(one.stdout).length).toBeGreaterThan(100);
    expect(story(one.stdout)).toEqual(story(other.stdout));
    expect(one.stdout).toMatch(/^profile \{"seed":7,.*"nodes":3\}/m);
  });

  it('says that a run proves nothing when no fault took effect', timeout, async () => {
    const line = [
      'sim',
      '--seed',
      '3',
      '--hours',
      '0.05',
      '--nodes',
      '1',
      '--fault',
      'broker-wipe',
    ];
    const { code, stderr } = await runBackplane([...line, '-o', 'json']);
    expect(code).toBe(10);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'BP-INCONCLUSIVE' } });
  });

  it.each([
    [['--seeds', '5..1'], 'range'],
    [['--hours', '0'], 'hours'],
    [['--trace'], 'one --seed'],
    [['--nodes', '0'], 'at least 1'],
    [['--fault', 'rain'], 'none of'],
  ])('refuses %j', async (more, why) => {
    const { code, stderr } = await runBackplane(['sim', ...more]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(why) });
  });
});
