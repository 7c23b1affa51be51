import { formatDuration } from '../../../foundation/duration.ts';
import type { LawReport } from '../../judge-history.ts';
import { counted } from '../../law.ts';
import type { BudgetReport, DrillReport, FaultReport } from '../drill-report.ts';

/** The verdict, for somebody who has never seen a drill. */
export function headline({ outcome }: Pick<DrillReport, 'outcome'>): string {
  switch (outcome) {
    case 'pass':
      return 'The cluster kept its promises';
    case 'violated':
      return 'The cluster broke a promise';
    case 'inconclusive':
      return 'This run proves nothing';
  }
}

/** What was done, and what came of it, in two or three sentences. */
export function verdictSentences(report: DrillReport): string[] {
  return [whatWasDone(report), whatCameOfIt(report), ...whatItMeans(report)];
}

/** `kill on n2`; that a broker is paused says what was. */
export function faultWords({ fault, target }: Pick<FaultReport, 'fault' | 'target'>): string {
  return fault.startsWith(`${target}-`) ? fault : `${fault} on ${target}`;
}

/** `12,345`. */
export function grouped(value: number): string {
  return value.toLocaleString('en-US');
}

/** `250ms, with a budget of 100ms`. */
export function budgetWords({ actualMs, limitMs }: BudgetReport): string {
  const limit = formatDuration(limitMs);
  if (actualMs === null) return `nothing was measured; the budget is ${limit}`;
  return `${formatDuration(actualMs)}, with a budget of ${limit}`;
}

/** `2 violations; 3 ops looked for in the log`. */
export function lawWords({ violations, detail }: LawReport): string {
  return violations === 0 ? detail : `${counted(violations, 'violation')}; ${detail}`;
}

function whatWasDone({ cluster, workload, faults }: DrillReport): string {
  const { nodes, attached } = cluster;
  const where = attached === null ? 'A cluster' : `The cluster ${attached}`;
  const size = counted(nodes, 'node');
  const peers = counted(workload.peers, 'client');
  const documents = counted(workload.documents, 'document');
  const kinds = [...new Set(faults.map(faultWords))];
  const more = kinds.length > 3 ? ` and ${kinds.length - 3} more` : '';
  const broken =
    faults.length === 0
      ? 'no fault was injected'
      : `${counted(faults.length, 'fault was', 'faults were')} injected (${kinds.slice(0, 3).join(', ')}${more})`;
  return `${where} of ${size} was put under load by ${peers} writing to ${documents}, and ${broken}.`;
}

function whatCameOfIt({ figures, faults }: DrillReport): string {
  const { ops, latency } = figures;
  const acknowledged = `${grouped(ops.acknowledged)} ${ops.acknowledged === 1 ? 'write was' : 'writes were'}`;
  const refused = ops.failed === 0 ? 'none was refused' : `${grouped(ops.failed)} refused`;
  const open = ops.unknown === 0 ? '' : `, and of ${grouped(ops.unknown)} nobody knows the outcome`;
  const waits = faults.map(({ recoveryMs }) => recoveryMs).filter((ms) => ms !== null);
  const longest =
    waits.length > 0
      ? ` After a fault no document was out for longer than ${formatDuration(Math.max(...waits))}.`
      : latency === null
        ? ''
        : ` The slowest took ${formatDuration(latency.maxMs)}.`;
  const { sent, answered } = figures.requests;
  const asked =
    sent === 0 ? '' : ` Of ${grouped(sent)} requests ${grouped(answered)} were answered.`;
  return `${acknowledged} acknowledged, ${refused}${open}.${asked}${longest}`;
}

function whatItMeans({ outcome, reason, laws, budgets }: DrillReport): string[] {
  if (outcome === 'inconclusive') {
    return [`It is neither a pass nor a failure, because ${reason ?? 'too little was seen'}.`];
  }
  if (outcome === 'violated') return reason === null ? [] : [`${capital(reason)}.`];
  const held = laws.filter((law) => law.outcome === 'holds').length;
  const open = laws.filter((law) => law.outcome === 'unknown').length;
  const sentences = [
    `${counted(held, 'law was', 'laws were')} checked against the recorded history, and held.`,
    ...(open === 0 ? [] : [`For ${counted(open, 'other')} this run had no data.`]),
    ...(budgets.length === 0 ? [] : [`${capital(budgetsKeptWords(budgets.length))}.`]),
  ];
  return sentences;
}

function budgetsKeptWords(count: number): string {
  if (count === 1) return 'the budget was kept';
  return count === 2 ? 'both budgets were kept' : `all ${count} budgets were kept`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
