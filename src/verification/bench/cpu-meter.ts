import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** CPU time that was used so far, in milliseconds; null where it cannot be read. */
export interface CpuReading {
  /** Of all processes of nodes; null when one of them is elsewhere. */
  readonly nodesMs: number | null;
  readonly brokerMs: number | null;
  readonly selfMs: number;
}

export interface CpuPlaces {
  /** Processes of nodes on this machine; null when some are elsewhere. */
  readonly nodePids: readonly number[] | null;
  broker(): Promise<number | null>;
}

export async function readCpu(places: CpuPlaces): Promise<CpuReading> {
  const { user, system } = process.cpuUsage();
  const nodes = places.nodePids?.map(processCpuMs) ?? [null];
  return {
    nodesMs: nodes.includes(null) ? null : nodes.reduce<number>((sum, ms) => sum + (ms ?? 0), 0),
    brokerMs: await places.broker(),
    selfMs: (user + system) / 1_000,
  };
}

/** What was used between two readings. */
export function cpuBetween(before: CpuReading, after: CpuReading): CpuReading {
  const used = (from: number | null, to: number | null) =>
    from === null || to === null ? null : Math.max(0, to - from);
  return {
    nodesMs: used(before.nodesMs, after.nodesMs),
    brokerMs: used(before.brokerMs, after.brokerMs),
    selfMs: after.selfMs - before.selfMs,
  };
}

/** Ticks of the kernel: a hundred a second, everywhere that has `/proc`. */
const tickMs = 10;

function processCpuMs(pid: number): number | null {
  try {
    if (process.platform !== 'linux') return fromPs(pid);
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * tickMs;
  } catch {
    return null;
  }
}

/** `MM:SS.hh`, or with hours and days before it. */
function fromPs(pid: number): number | null {
  const text = execFileSync('ps', ['-o', 'time=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  const [seconds = 0, minutes = 0, hours = 0, days = 0] = text.split(/[:-]/).map(Number).reverse();
  const total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
  return Number.isFinite(total) ? total * 1_000 : null;
}
