const dayMs = 86_400_000;
const daysPerEra = 146_097;
const daysBeforeEpoch = 719_468;

/**
 * Milliseconds since 1970 as `2026-01-31T09:05:00.250Z`, without asking any clock. A time no
 * calendar can show gives null: it came from the network.
 */
export function isoTime(wallMs: number): string | null {
  if (!Number.isFinite(wallMs) || Math.abs(wallMs) > 8.64e15) return null;
  const days = Math.floor(wallMs / dayMs);
  const { year, month, day } = civilFromDays(days);
  const inDayMs = Math.floor(wallMs - days * dayMs);
  const hour = Math.floor(inDayMs / 3_600_000);
  const minute = Math.floor(inDayMs / 60_000) % 60;
  const second = Math.floor(inDayMs / 1_000) % 60;
  if (year < 0 || year > 9_999) return null;
  const date = `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
  return `${date}T${pad(hour, 2)}:${pad(minute, 2)}:${pad(second, 2)}.${pad(inDayMs % 1_000, 3)}Z`;
}

/** The proleptic Gregorian calendar, counted from the first of March of year 0 (Howard Hinnant). */
function civilFromDays(days: number): { year: number; month: number; day: number } {
  const shifted = days + daysBeforeEpoch;
  const era = Math.floor(shifted / daysPerEra);
  const dayOfEra = shifted - era * daysPerEra;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  const day = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0');
}
