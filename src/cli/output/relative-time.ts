import { formatDuration } from '../../foundation/duration.ts';
import { parseIsoTime } from '../../foundation/iso-time.ts';

/** `1.2s ago`, `now`, `in 29s`: a time as a person wants it. */
export function ago(elapsedMs: number): string {
  if (Math.abs(elapsedMs) < 1) return 'now';
  return elapsedMs > 0
    ? `${formatDuration(Math.round(elapsedMs))} ago`
    : `in ${formatDuration(Math.round(-elapsedMs))}`;
}

/** How long ago an ISO time was; an unreadable one is shown as it is. */
export function agoSince(isoText: string, nowMs: number): string {
  const atMs = parseIsoTime(isoText);
  return atMs === null ? isoText : ago(Math.max(0, nowMs - atMs));
}
