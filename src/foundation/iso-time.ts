/**
 * Milliseconds since 1970 as `2026-01-31T09:05:00.250Z`. It asks no clock, so it may stand here. A
 * time no calendar can show gives null: it came from the network.
 */
export function isoTime(wallMs: number): string | null {
  if (!Number.isFinite(wallMs) || wallMs < 0 || wallMs > 253_402_300_799_999) return null;
  return new Date(wallMs).toISOString();
}

/** The other way round: an ISO time as milliseconds since 1970, or null. */
export function parseIsoTime(text: string): number | null {
  const wallMs = Date.parse(text);
  return Number.isNaN(wallMs) ? null : wallMs;
}
