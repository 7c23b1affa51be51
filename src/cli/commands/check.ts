import { renameSync, writeFileSync } from 'node:fs';
import { formatDuration, parseDurationMs } from '../../foundation/duration.ts';
import { BackplaneError } from '../../foundation/errors.ts';
import { safeText } from '../../foundation/safe-text.ts';
import {
  exitCodeOfState,
  type Probe,
  type ProbeReport,
  type ProbeState,
  runProbe,
} from '../../operations/diagnose/probe.ts';
import { nagiosLine, prometheusText } from '../../operations/diagnose/probe-text.ts';
import { probes } from '../../operations/diagnose/probes.ts';
import {
  type CommandDefinition,
  type CommandGroup,
  defineCommand,
  defineGroup,
} from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import type { Line, Style } from '../output/styled-text.ts';
import { option, optionWithDefault } from '../parameters.ts';
import { anyText, oneOf, parseCount } from '../parse-values.ts';

const formats = ['text', 'json', 'prometheus', 'nagios'] as const;
const styles: Readonly<Record<ProbeState, Style>> = {
  ok: 'good',
  warning: 'warning',
  critical: 'bad',
  unknown: 'dim',
};

/** Probes for monitoring, each a command of its own. */
export function checkCommand(context: CommandContext): CommandGroup {
  return defineGroup({
    name: 'check',
    summary: 'measure one thing, for monitoring',
    description: [
      'Measures one number, compares it with --warn and --critical, and exits as Nagios plugins do: 0 ok, 1 warning, 2 critical, 3 unknown.',
      'With --file the numbers are also written for the text file collector of Prometheus, in one step, so that it never reads half of them.',
    ],
    commands: probes.map((probe) => checkOneCommand(context, probe)),
  });
}

function checkOneCommand(context: CommandContext, probe: Probe): CommandDefinition {
  const { name, summary, description, unit, worse, impact } = probe;
  const parse = unit === 'ms' ? parseDurationMs : parseCount;
  const shown = (value: number) => (unit === 'ms' ? formatDuration(value) : String(value));
  const what = unit === 'ms' ? 'DURATION' : 'COUNT';
  const than = worse === 'more' ? 'this or more' : 'this or less';
  return defineCommand({
    name,
    summary,
    description: [description],
    impact,
    output: 'report',
    options: {
      warn: optionWithDefault(`--warn <${what}>`, `warn at ${than}`, parse, {
        fallback: probe.warn,
        fallbackText: shown(probe.warn),
      }),
      critical: optionWithDefault(`--critical <${what}>`, `critical at ${than}`, parse, {
        fallback: probe.critical,
        fallbackText: shown(probe.critical),
      }),
      format: option('--format <FORMAT>', formats.join(', '), oneOf(...formats), {
        completes: formats,
        fallbackText: 'text',
      }),
      file: option('--file <FILE>', 'also write the numbers here, for Prometheus', anyText, {
        completes: 'file',
      }),
    },
    examples: [
      { run: `backplane check ${name} --format nagios`, shows: 'one line for Nagios or Icinga' },
      {
        run: `backplane check ${name} --warn ${unit === 'ms' ? '20ms' : '3'} --critical ${unit === 'ms' ? '200ms' : worse === 'less' ? '2' : '10'}`,
        shows: 'with thresholds of your own',
      },
    ],
    action: async (_, { warn, critical, format, file }) => {
      checkOrder(probe, warn, critical);
      const report = await runProbe(probe, partsOf(context), { warn, critical });
      const page = prometheusText(report, context.clock.wallMs());
      if (file !== undefined) writeWhole(file, page);
      await print(context, report, format, page);
      context.exitCode = exitCodeOfState[report.state];
    },
  });
}

function partsOf(context: CommandContext) {
  const { clock, settings, signal, random } = context;
  return {
    clock,
    options: { timeoutMs: settings.timeoutMs, signal },
    token: () => random.token(7),
    engine: () => context.engine(),
    visitor: () => context.visitor(),
  };
}

async function print(
  context: CommandContext,
  report: ProbeReport,
  format: (typeof formats)[number] | undefined,
  page: string,
): Promise<void> {
  if (format === 'prometheus') return context.print.text(page);
  if (format === 'nagios') return context.print.text(`${safeText(nagiosLine(report))}\n`);
  if (format === 'json')
    return context.print.text(`${JSON.stringify({ schemaVersion: 1, ...report })}\n`);
  await context.print.report(report, asLines);
}

function asLines({ check, state, value, unit, detail }: ProbeReport): Line[] {
  const number = value === null ? '' : `${unit === 'ms' ? formatDuration(value) : value}  `;
  return [[{ text: state, style: styles[state] }, `  ${check}  ${number}${detail}`]];
}

function checkOrder({ worse }: Probe, warn: number, critical: number): void {
  if (worse === 'more' ? warn <= critical : warn >= critical) return;
  const message = `--warn must be reached before --critical; ${worse === 'more' ? 'more' : 'less'} is worse`;
  throw new BackplaneError('USAGE', message, { remedy: 'exchange the two' });
}

/** A reader sees the whole of the old file or the whole of the new one. */
function writeWhole(file: string, text: string): void {
  try {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? 'an unknown reason';
    throw new BackplaneError('CONFIG_INVALID', `"${file}" cannot be written: ${why}`, {
      cause,
      remedy: 'name another with --file',
    });
  }
}
