import type { Finding, Severity } from '../../operations/diagnose/check.ts';
import {
  type CheckResult,
  type DoctorReport,
  diagnose,
  exitCodeOfVerdict,
} from '../../operations/diagnose/doctor.ts';
import { gatherEvidence } from '../../operations/diagnose/gather-evidence.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { readEvidence, writeEvidence } from '../evidence-file.ts';
import { evidenceSources, gatherOptions, parseClientAddress } from '../evidence-sources.ts';
import type { Line, Style } from '../output/styled-text.ts';
import { flag, option, optionList } from '../parameters.ts';
import { anyText } from '../parse-values.ts';

const styles: Readonly<Record<Severity, Style>> = {
  critical: 'bad',
  warning: 'warning',
  note: 'dim',
};

/** Finds what is wrong. */
export function doctorCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'doctor',
    summary: 'find what is wrong, and say how to mend it',
    description: [
      'Looks at the broker and how it is set up, asks every node, and compares what they say with each other. Of everything that is wrong it says how bad it is, what was seen, why it matters, and the command to paste that mends it; backplane help CODE says more.',
      'Changes nothing. What may not be looked at is skipped, with the line that would allow it. Exits 0 when all is well, 1 on a warning, 2 when something is critical, and 3 when nobody answers.',
      'When edits do not reach another client, name with --client where each of the two connects.',
      '--save keeps what was seen in a file without secrets or payloads; --from judges such a file, on any machine.',
    ],
    impact: 'ro',
    output: 'report',
    options: {
      all: flag('--all', 'also the checks that found nothing'),
      client: optionList('--client <URL>', 'where a client connects', parseClientAddress),
      save: option('--save <FILE>', 'keep what was seen', anyText, { completes: 'file' }),
      from: option('--from <FILE>', 'judge what was kept; ask nobody', anyText, {
        completes: 'file',
      }),
    },
    examples: [
      { run: 'backplane doctor', shows: 'what is wrong here, and what to type' },
      {
        run: 'backplane doctor --client http://127.0.0.1:7420 --client http://127.0.0.1:7422',
        shows: 'why edits of one client do not reach the other',
      },
      { run: 'backplane doctor --save bundle.json', shows: 'the same, kept for somebody else' },
      { run: 'backplane doctor --from bundle.json -o json', shows: 'what that bundle tells' },
    ],
    action: async (_, { all, client, save, from }) => {
      const evidence =
        from === undefined
          ? await gatherEvidence(evidenceSources(context, client), gatherOptions(context))
          : readEvidence(from);
      if (save !== undefined) writeEvidence(save, evidence, context.world.redact);
      const report = diagnose(evidence);
      await context.print.report(report, (each) => asLines(each, all));
      context.exitCode = exitCodeOfVerdict(report.verdict);
    },
  });
}

function asLines(report: DoctorReport, all: boolean): Line[] {
  const lines = report.findings.flatMap(findingLines);
  const quiet = report.checks.filter(
    ({ result }) => result === 'skipped' || (all && (result === 'ok' || result === 'unasked')),
  );
  const width = Math.max(...quiet.map(({ code }) => code.length), 0);
  lines.push(...quiet.map((check) => quietLine(check, width)));
  lines.push(summaryLine(report));
  return lines;
}

function findingLines({ code, severity, seen, why, mend, advice }: Finding): Line[] {
  const commands = mend.map(
    (command): Line => [
      { text: '  mend  ', style: 'dim' },
      { text: command, style: 'bold' },
    ],
  );
  return [
    [
      { text: severity, style: styles[severity] },
      `  ${seen}  `,
      { text: `[${code}]`, style: 'dim' },
    ],
    [{ text: `  why   ${why}`, style: 'dim' }],
    ...commands,
    ...(advice === null ? [] : [`  then  ${advice}`]),
    '',
  ];
}

function quietLine({ code, title, result, detail }: CheckResult, width: number): Line {
  const text = detail === null ? title : `${title}? ${detail}`;
  return [
    { text: `${result.padEnd(8)}`, style: result === 'ok' ? 'good' : 'dim' },
    `${code.padEnd(width)}  ${text}`,
  ];
}

function summaryLine({ checks, findings, nodes, url, verdict }: DoctorReport): Line {
  const count = (accepts: (check: CheckResult) => boolean) => checks.filter(accepts).length;
  const parts = [
    `${count(({ result }) => result === 'ok')} of ${checks.length} checks found nothing`,
    ...(['critical', 'warning', 'note'] as const)
      .map((severity) => [severity, findings.filter((each) => each.severity === severity).length])
      .filter(([, number]) => number !== 0)
      .map(([severity, number]) => `${number} ${severity}`),
  ];
  const style = verdict === 'ok' ? 'good' : verdict === 'warning' ? 'warning' : 'bad';
  return [
    { text: verdict, style },
    `  ${nodes} ${nodes === 1 ? 'node' : 'nodes'} at ${url}: ${parts.join(', ')}`,
  ];
}
