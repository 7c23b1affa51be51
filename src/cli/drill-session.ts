import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, extname, resolve } from 'node:path';
import { BackplaneError } from '../foundation/errors.ts';
import { isoTime } from '../foundation/iso-time.ts';
import { type Adjustments, adjustScenario } from '../verification/drills/adjust-scenario.ts';
import type { DrillReport } from '../verification/drills/drill-report.ts';
import { findScenario } from '../verification/drills/find-scenario.ts';
import type { JudgedDrill } from '../verification/drills/judge-drill.ts';
import { knownFaults } from '../verification/drills/known-faults.ts';
import { nodeNames } from '../verification/drills/read-scenario.ts';
import { annotateGithub } from '../verification/drills/reports/github-annotations.ts';
import { type Attachment, defaultHistory, runDrill } from '../verification/drills/run-drill.ts';
import type { Scenario } from '../verification/drills/scenario.ts';
import { relationProblems } from '../verification/drills/scenario-relations.ts';
import { counted } from '../verification/law.ts';
import { askForAttachment } from './attach-drill.ts';
import type { CommandContext } from './context.ts';
import { DrillDisplay } from './drill-display.ts';
import { drillLines } from './output/drill-lines.ts';
import { shellQuoted } from './shell-quoted.ts';

export interface DrillSessionOptions {
  readonly scenarios: readonly string[];
  readonly adjustments: Adjustments;
  readonly broker: 'embedded' | 'wasm' | 'redis';
  readonly seed: number | undefined;
  readonly history: string | undefined;
  readonly report: string | undefined;
  readonly junit: string | undefined;
  readonly attach: boolean;
  readonly allow: readonly string[] | undefined;
  readonly cluster: string | undefined;
  /** The rest of the command line that does the same again, without the seed. */
  readonly again: readonly string[];
}

const seedMax = 2 ** 31;

/** One `drill run`: its scenarios one after the other, what they are told about, and the verdict. */
export class DrillSession {
  readonly #context: CommandContext;
  readonly #options: DrillSessionOptions;

  constructor(context: CommandContext, options: DrillSessionOptions) {
    this.#context = context;
    this.#options = options;
  }

  async run(): Promise<void> {
    const { print, signal } = this.#context;
    const { history, scenarios: names, junit } = this.#options;
    if (history !== undefined && names.length > 1) {
      throw new BackplaneError('USAGE', '--history is for one scenario, and there are several', {
        remedy: 'run them one at a time, or leave it away',
      });
    }
    // Whatever is wrong with the last one is said before the first one has run for minutes.
    const scenarios: Scenario[] = [];
    for (const name of names) scenarios.push(await this.#scenario(name));
    const where = await this.#attachment();
    const judged: DrillReport[] = [];
    const stream = print.stream<DrillReport>({
      noun: 'drills',
      asLines: (report) => [...(judged.length > 1 ? [''] : []), ...drillLines(report)],
      keys: ['scenario', 'outcome', 'reason', 'seed', 'durationMs', 'history'],
    });
    try {
      for (const [index, scenario] of scenarios.entries()) {
        if (signal.aborted) break;
        const done = await this.#drill(scenario, names[index] as string, where);
        judged.push(done.report);
        await stream.write(done.report);
        await this.#publish(done, scenario);
      }
    } finally {
      // What was found before the next one failed is a whole document, too.
      await stream.end();
    }
    if (junit !== undefined) {
      const { junitReport } = await import('../verification/drills/reports/junit-report.ts');
      await write(junit, junitReport(judged));
    }
    const failure = failureOf(judged);
    if (failure) throw failure;
  }

  async #scenario(name: string): Promise<Scenario> {
    const { adjustments, attach } = this.#options;
    const { scenario } = await findScenario(name, { faults: knownFaults });
    const adjusted = adjustScenario(scenario, adjustments);
    if (!attach) return checkAdjusted(adjusted);
    // Who owns everything at first is not up to a visitor.
    return { ...adjusted, workload: { ...adjusted.workload, ownedBy: null } };
  }

  async #attachment(): Promise<Attachment | null> {
    const { attach, allow, cluster } = this.#options;
    if (attach) return askForAttachment(this.#context, { allowed: allow ?? [], named: cluster });
    if (allow === undefined && cluster === undefined) return null;
    throw new BackplaneError('USAGE', '--allow and --cluster go with --attach');
  }

  async #drill(scenario: Scenario, name: string, on: Attachment | null): Promise<JudgedDrill> {
    const { random, clock, settings, signal, world, logger } = this.#context;
    const seed = this.#options.seed ?? Math.floor(random.fraction() * seedMax);
    const run = random.token(5);
    const startedAt = (isoTime(clock.wallMs()) ?? '').replace(/[:.]/g, '-');
    const display = new DrillDisplay(this.#context);
    try {
      return await runDrill(
        {
          ...{ scenario, run, seed },
          where: on ?? this.#brokerOf(scenario),
          history:
            this.#options.history === undefined
              ? await defaultHistory(settings.dataDir, `${startedAt}-${scenario.name}-${run}`)
              : resolve(this.#options.history),
          token: settings.token?.reveal() ?? null,
          replay: this.#replay(name, seed),
        },
        world.doors.drillDoors(logger),
        (drill) => display.watch(scenario, drill),
        signal,
      );
    } finally {
      display.stop();
    }
  }

  #brokerOf({ cluster }: Scenario): 'embedded' | 'wasm' | 'redis' | 'pair' {
    return cluster.broker === 'any' ? this.#options.broker : cluster.broker;
  }

  #replay(name: string, seed: number): string {
    const words = ['backplane', 'drill', 'run', name, '--seed', String(seed)];
    return [...words, ...this.#options.again].map(shellQuoted).join(' ');
  }

  async #publish({ report, series }: JudgedDrill, scenario: Scenario): Promise<void> {
    const { report: page, scenarios } = this.#options;
    if (page !== undefined) {
      const path = scenarios.length === 1 ? page : withName(page, scenario.name);
      const { htmlReport } = await import('../verification/drills/reports/html-report.ts');
      await write(path, htmlReport(report, scenario, series));
    }
    const { environment, terminal } = this.#context.world;
    await annotateGithub(report, environment, (text) => terminal.err.write(text));
  }
}

/** What the file allows, the flags need not. */
function checkAdjusted(scenario: Scenario): Scenario {
  const nodes = nodeNames(scenario.cluster.nodes);
  const [problem] = relationProblems(scenario, { faults: knownFaults, nodes });
  if (!problem) return scenario;
  throw new BackplaneError('USAGE', `${scenario.name} with these flags: ${problem.message}`, {
    remedy: `backplane drill show ${scenario.name}`,
  });
}

/** `drills.html` for `owner-crash` is `drills-owner-crash.html`. */
function withName(path: string, name: string): string {
  const ending = extname(path);
  return `${path.slice(0, path.length - ending.length)}-${name}${ending}`;
}

async function write(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(resolve(path)), { recursive: true });
    await writeFile(path, text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BackplaneError('CONFIG_INVALID', `cannot write "${path}": ${why}`, {
      cause,
      remedy: 'name a file in a folder that can be written',
    });
  }
}

/** The worst of them decides. */
function failureOf(reports: readonly DrillReport[]): BackplaneError | null {
  const violated = reports.filter(({ outcome }) => outcome === 'violated');
  const open = reports.filter(({ outcome }) => outcome === 'inconclusive');
  const [worst] = [...violated, ...open];
  if (!worst) return null;
  const code = violated.length > 0 ? 'ASSERTION_FAILED' : 'INCONCLUSIVE';
  const others = violated.length + open.length - 1;
  const more = others === 0 ? '' : `; ${counted(others, 'other drill')} did not pass either`;
  const message = `${worst.scenario}: ${worst.reason ?? worst.outcome}${more}`;
  return new BackplaneError(code, message, { remedy: `run it again: ${worst.replay}` });
}
