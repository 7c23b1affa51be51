import { formatDuration } from '../../foundation/duration.ts';
import { parseIsoTime } from '../../foundation/iso-time.ts';

/** `12,345`; a dash for what is not known. */
export function countText(value: number | null): string {
  if (value === null) return '-';
  return String(Math.round(value)).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** `0.4`, `12.5`, `1,204`: no more digits than anybody reads. */
export function rateText(value: number | null): string {
  if (value === null) return '-';
  if (value === 0) return '0';
  return value < 100 ? value.toFixed(1) : countText(value);
}

export function durationText(valueMs: number | null): string {
  return valueMs === null ? '-' : formatDuration(valueMs);
}

/** `16:03:22` of an ISO time, in UTC, as every time on the screen. */
export function clockText(at: string | null): string {
  return at === null ? '-' : at.slice(11, 19);
}

export function agoText(elapsedMs: number | null): string {
  if (elapsedMs === null) return '-';
  return elapsedMs < 1_000 ? 'now' : `${formatDuration(Math.round(elapsedMs / 1_000) * 1_000)} ago`;
}

/** How long before another moment a moment was. */
export function sinceText(at: string, nowAt: string): string {
  const fromMs = parseIsoTime(at);
  const toMs = parseIsoTime(nowAt);
  if (fromMs === null || toMs === null) return '-';
  return formatDuration(Math.max(0, Math.round((toMs - fromMs) / 1_000) * 1_000));
}

export function plural(count: number, thing: string): string {
  return `${countText(count)} ${thing}${count === 1 ? '' : 's'}`;
}
