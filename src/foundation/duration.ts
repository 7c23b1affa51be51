import { BackplaneError } from './errors.ts';

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Reads `250ms`, `30s`, `5m`, `1.5h`; a bare number is refused, because nobody remembers its unit. */
export function parseDurationMs(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text.trim());
  if (!match) {
    throw new BackplaneError('USAGE', `"${text}" is not a duration`, {
      remedy: 'write a number and a unit: 250ms, 30s, 5m, 1h',
    });
  }
  const durationMs = Number(match[1]) * unitMs[match[2] as keyof typeof unitMs];
  if (!Number.isFinite(durationMs) || durationMs > 365 * unitMs.d) {
    throw new BackplaneError('USAGE', `"${text}" is longer than a year`);
  }
  return durationMs;
}

/** `4200` as `4.2s`: the largest unit that keeps the number at one or more, three digits at most. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 0) return `-${formatDuration(-durationMs)}`;
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    if (durationMs >= unitMs[unit]) return `${short(durationMs / unitMs[unit])}${unit}`;
  }
  return `${short(durationMs)}ms`;
}

function short(value: number): string {
  return value >= 100 || Number.isInteger(value)
    ? String(Math.round(value))
    : String(Number(value.toPrecision(value >= 10 ? 3 : 2)));
}
