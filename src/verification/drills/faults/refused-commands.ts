import type { DrillBroker } from '../drill-cluster.ts';

/** How often the server has refused a command with this word since it started. */
export async function refusedCommands(broker: DrillBroker, word: string): Promise<number> {
  const info = String(await broker.command('INFO', 'errorstats'));
  return Number(new RegExp(`^errorstat_${word}:count=(\\d+)`, 'm').exec(info)?.[1] ?? 0);
}
