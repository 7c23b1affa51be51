import { BackplaneError } from '../foundation/errors.ts';

const seedMax = 2 ** 32 - 1;

/** Reads `1..10000`, or one seed. */
export function parseSeeds(text: string): { readonly from: number; readonly to: number } {
  const match = /^(\d+)(?:\.\.(\d+))?$/.exec(text);
  const from = Number(match?.[1]);
  const to = Number(match?.[2] ?? match?.[1]);
  if (match && from <= to && to <= seedMax) return { from, to };
  throw new BackplaneError('USAGE', `"${text}" is no range of seeds`, {
    remedy: 'write FROM..TO: 1..10000',
  });
}

/** Reads `1` or `0.25`: less than a few minutes hold no storm. */
export function parseHours(text: string): number {
  const hours = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && hours >= 0.05 && hours <= 1_000) return hours;
  throw new BackplaneError('USAGE', `"${text}" is no number of hours from 0.05 to 1000`);
}
