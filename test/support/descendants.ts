import { readdirSync, readFileSync } from 'node:fs';

/** The processes that a process started, and those that they did, and so on. Linux only. */
export function descendants(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const line = readFileSync(`/proc/${name}/stat`, 'utf8');
      const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
      parents.set(Number(name), Number(fields[1]));
    } catch {
      // It has ended meanwhile.
    }
  }
  const childrenOf = (one: number): number[] =>
    [...parents].filter(([, parent]) => parent === one).map(([child]) => child);
  const found: number[] = [];
  for (const queue = childrenOf(pid); queue.length > 0; ) {
    const next = queue.shift() as number;
    found.push(next);
    queue.push(...childrenOf(next));
  }
  return found;
}
