import { formatDuration, parseDurationMs } from '../../foundation/duration.ts';
import { BackplaneError } from '../../foundation/errors.ts';
import { isoTime } from '../../foundation/iso-time.ts';
import { dials } from '../../foundation/limits.ts';
import {
  type MendedLease,
  type RemovedLease,
  removeLease,
  restoreLease,
} from '../../operations/act/mend-leases.ts';
import { type FsckReport, fsck } from '../../operations/diagnose/fsck.ts';
import { findLeftRegistrations } from '../../operations/diagnose/left-registrations.ts';
import { sleep } from '../../ports/clock.ts';
import type { IndexFault } from '../../ports/inspector.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import type { Line } from '../output/styled-text.ts';
import { flag, option, optionWithDefault } from '../parameters.ts';
import { anyText } from '../parse-values.ts';
import { shellQuoted } from '../shell-quoted.ts';
import { readUndo, writeUndo } from '../undo-file.ts';

/** What was found, and what was done about it. */
interface FsckResult extends FsckReport {
  readonly mended: readonly MendedLease[];
  /** Sessions whose connections were cleared. */
  readonly cleared: readonly string[];
  readonly undoFile: string | null;
}

/** Compares what the cluster keeps, and mends it. */
export function fsckCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'fsck',
    summary: 'compare what the cluster keeps, and mend it',
    description: [
      'Compares sessions, leases, connections, logs and the lists of sessions and documents in both directions: leases and connections of sessions that are dead or unknown, leases that contradict the epoch of the store, logs and snapshots that do not end where they should, sessions and documents that no list knows, and list entries of nobody. For the lists every key of the server is looked at; without the right to SCAN they are left out. What looks wrong is looked at again after --age, so that a takeover under way is no error.',
      'Without a flag, and with --fix, nothing is changed; --fix prints what would be done. --fix --write does it, each record by compare-and-set against what was seen, and keeps the leases it removed in an undo file, which --undo puts back. Connections of a dead session are cleared for good: no node can come back to them.',
      'Exits 9 when something is wrong and was not mended.',
    ],
    impact: 'rw',
    output: 'report',
    options: {
      fix: flag('--fix', 'print what would be done'),
      write: flag('--write', 'with --fix: do it'),
      undo: option('--undo <FILE>', 'put back what was removed', anyText, { completes: 'file' }),
      undoFile: option(
        '--undo-file <FILE>',
        'where to keep it (default: fsck-undo-TIME.json)',
        anyText,
        {
          completes: 'file',
        },
      ),
      age: optionWithDefault('--age <DURATION>', 'look again after this long', parseDurationMs, {
        fallback: dials.heartbeatMs,
        fallbackText: '5s',
      }),
    },
    examples: [
      { run: 'backplane fsck', shows: 'what does not fit together' },
      { run: 'backplane fsck --fix', shows: 'what would be done about it' },
      { run: 'backplane fsck --fix --write', shows: 'it is done, and can be undone' },
    ],
    action: async (_, { fix, write, undo, undoFile, age }) => {
      if (write && !fix) throw new BackplaneError('USAGE', '--write goes with --fix');
      if (undo !== undefined) return putBack(context, readUndo(undo));
      const report = await look(context, age);
      const plan = report.problems.flatMap(({ doc, remove }) =>
        remove ? [{ doc, ...remove }] : [],
      );
      const file = write && plan.length > 0 ? (undoFile ?? defaultFile(context)) : null;
      const mended = file === null ? [] : await carryOut(context, plan, file);
      const cleared = write ? await clearRegistrations(context, report) : [];
      const result: FsckResult = { ...report, mended, cleared, undoFile: file };
      await context.print.report(result, (each) => asLines(each, { fix, write }));
      const found = countOf(report);
      const left = found - mended.length - cleared.length;
      if (left > 0) throw notMended(left, fix);
    },
  });
}

async function look(context: CommandContext, ageMs: number): Promise<FsckReport> {
  const engine = await context.engine();
  const { doors } = context.world;
  const { logger, clock, signal, settings } = context;
  // One that looks only: nothing is fenced on the way, whatever is found.
  const visitor = await context.use(() => doors.openVisitor(engine, logger, false));
  const age = () => sleep(clock, ageMs, signal);
  return fsck({ engine, visitor, age, ageMs }, { timeoutMs: settings.timeoutMs, signal });
}

async function carryOut(
  context: CommandContext,
  plan: readonly RemovedLease[],
  file: string,
): Promise<MendedLease[]> {
  const { leases } = await context.engine();
  // Before anything is done, so that whatever was done can be undone.
  writeUndo(file, plan);
  const token = `fsck-${context.random.token(7)}`;
  const mended: MendedLease[] = [];
  for (const each of plan) {
    if (context.signal.aborted) throw new BackplaneError('INTERRUPTED', 'fsck was interrupted');
    mended.push(await removeLease(leases, each, token));
  }
  return mended;
}

/** Of a session that lives after all nothing is removed: the broker checks it in the same step. */
async function clearRegistrations(
  context: CommandContext,
  { registrations }: FsckReport,
): Promise<string[]> {
  const { registry, sessions } = await context.engine();
  for (const { session } of registrations) {
    while (!(await registry.clear(session)).done) {
      if (context.signal.aborted) throw new BackplaneError('INTERRUPTED', 'fsck was interrupted');
    }
  }
  const left = await findLeftRegistrations({ registry, sessions });
  const ids = registrations.map(({ session }) => session);
  return ids.filter((id) => !left.some(({ session }) => session === id));
}

async function putBack(context: CommandContext, removed: readonly RemovedLease[]): Promise<void> {
  const { leases } = await context.engine();
  const restored: MendedLease[] = [];
  for (const each of removed) restored.push(await restoreLease(leases, each));
  await context.print.report({ restored }, () => restored.map(mendedLine));
}

function defaultFile({ clock }: CommandContext): string {
  return `fsck-undo-${(isoTime(clock.wallMs()) ?? 'now').replace(/[:.]/g, '-')}.json`;
}

function asLines(
  {
    problems,
    registrations,
    indexes,
    indexesRead,
    mended,
    cleared,
    undoFile,
    leases,
    documents,
    ageMs,
    storeRead,
  }: FsckResult,
  { fix, write }: { fix: boolean; write: boolean },
): Line[] {
  const width = Math.max(...problems.map(({ kind }) => kind.length), 0);
  const lines: Line[] = problems.map(({ kind, doc, seen }) => [
    { text: kind.padEnd(width), style: 'warning' },
    `  ${doc}  ${seen}`,
  ]);
  for (const { session, state, hubs } of registrations) {
    const seen = `  ${session}  ${state}, and still registered in ${hubs.join(', ')}`;
    lines.push([{ text: 'connections-left', style: 'warning' }, seen]);
  }
  if (fix && !write) {
    for (const { session } of registrations) {
      lines.push([{ text: `would clear the connections of ${session}`, style: 'bold' }]);
    }
    for (const { doc, remove } of problems) {
      const text = remove
        ? `would remove the lease of ${doc} at epoch ${remove.epoch} of ${remove.session}`
        : `cannot mend ${doc}: restore the store from a back-up`;
      lines.push([{ text, style: 'bold' }]);
    }
  }
  lines.push(...indexes.flatMap(faultLines));
  lines.push(...mended.map(mendedLine));
  lines.push(
    ...cleared.map((session): Line => [{ text: 'cleared', style: 'good' }, `  ${session}`]),
  );
  if (undoFile !== null) lines.push(`undo it with: backplane fsck --undo ${undoFile}`);
  const twice = ageMs > 0 ? `, looked at twice, ${formatDuration(ageMs)} apart` : '';
  const what = storeRead
    ? `${leases} leases and ${documents} documents`
    : `${leases} leases; the store could not be read: no node is alive, or the list of them is damaged`;
  const found = countOf({ problems, registrations, indexes });
  const count = found === 1 ? '1 problem' : `${found} problems`;
  lines.push([
    { text: count, style: found === 0 ? 'good' : 'warning' },
    ` in ${what}${twice}${indexesRead ? '' : '; lists were not compared'}`,
  ]);
  return lines;
}

function countOf({
  problems,
  registrations,
  indexes,
}: Pick<FsckReport, 'problems' | 'registrations' | 'indexes'>): number {
  return problems.length + registrations.length + indexes.length;
}

/** They are mended by hand: it is one command each, and what is listed wrongly harms nobody long. */
function faultLines({ kind, name, seen, mend }: IndexFault): Line[] {
  return [
    [{ text: kind, style: 'warning' }, `  ${name}  ${seen}`],
    ...mend.map(
      (words): Line => [
        { text: `mend: redis-cli ${words.map(shellQuoted).join(' ')}`, style: 'bold' },
      ],
    ),
  ];
}

function mendedLine({ doc, session, outcome }: MendedLease): Line {
  const style = outcome === 'changed' ? 'warning' : 'good';
  const text = outcome === 'changed' ? 'has changed, left alone' : outcome;
  return [{ text, style }, `  ${doc}  ${session}`];
}

function notMended(left: number, fix: boolean): BackplaneError {
  return new BackplaneError(
    'ASSERTION_FAILED',
    `${left} ${left === 1 ? 'thing does' : 'things do'} not fit together`,
    {
      remedy: fix
        ? 'do it: backplane fsck --fix --write'
        : 'see what can be done: backplane fsck --fix',
      facts: { left },
    },
  );
}
